package nocturne.cuda;

/// A kernel did what a kernel must not do; the message names it, the block and the thread.
final class SimulatedFault extends RuntimeException {
    SimulatedFault(String message) {
        super(message);
    }
}
