package nocturne.train;

/// The wish to end a run before its time.
public interface Stop {
    /// Nobody ever asks.
    Stop NEVER = new Stop() {
        @Override
        public boolean isRequested() {
            return false;
        }

        @Override
        public void workBegins() {}
    };

    /// Asked between steps and between pictures, and while one is drawn; once true it stays so.
    boolean isRequested();

    /// From here on a sudden end would lose work: whoever wants the process to end waits until the run has returned.
    void workBegins();
}
