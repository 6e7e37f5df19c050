package nocturne.service;

import java.util.Optional;

/// Finds what really happened below what the frameworks have wrapped around it.
public final class Causes {
    private static final int DEEPEST = 50;

    private Causes() {}

    public static Throwable innermost(Throwable failure) {
        Throwable at = failure;
        for (int depth = 0; depth < DEEPEST && at.getCause() != null; depth++) at = at.getCause();
        return at;
    }

    /// The outermost one of a kind, the failure itself included.
    public static <T extends Throwable> Optional<T> find(Class<T> kind, Throwable failure) {
        Throwable at = failure;
        for (int depth = 0; depth < DEEPEST && at != null; depth++, at = at.getCause()) {
            if (kind.isInstance(at)) return Optional.of(kind.cast(at));
        }
        return Optional.empty();
    }
}
