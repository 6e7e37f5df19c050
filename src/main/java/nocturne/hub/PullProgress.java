package nocturne.hub;

/// Who is told how a pull goes on; called from several threads.
public interface PullProgress {
    /// Something that a person should know: that nothing is to be done, or that it is done again.
    void notice(String text);

    /// The fetching begins.
    ///
    /// @param files    that make up the model
    /// @param bytes    of all of them
    /// @param arrived  bytes that are there already
    void begins(int files, long bytes, long arrived);

    /// Bytes have arrived; negative where some have to come again.
    void moved(long bytes);

    /// A file is there, whole and proven.
    void arrived(String path, long bytes);
}
