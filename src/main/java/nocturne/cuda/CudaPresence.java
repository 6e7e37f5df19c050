package nocturne.cuda;

import java.util.List;

/// Whether this machine has a card that can be computed on. That it has none is normal, and has a reason.
public sealed interface CudaPresence {

    /// There is at least one usable card.
    ///
    /// @param driverVersion the newest CUDA that the driver speaks: 13000 is 13.0
    /// @param cards         by index; some may be too old
    record Found(int driverVersion, List<Card> cards) implements CudaPresence {
        public Found {
            cards = List.copyOf(cards);
        }

        /// Such as `13.0`.
        public String driver() {
            return spelled(driverVersion);
        }
    }

    /// There is none.
    ///
    /// @param reason why, as a sentence without its full stop
    /// @param remedy what to do, one sentence or two
    record Absent(String reason, String remedy) implements CudaPresence {}

    /// `13.0` for 13000.
    static String spelled(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }
}
