package nocturne.dataset;

import java.time.Duration;

/// How long pictures are looked at. When it is over, those that are left are taken by what their files say of
/// themselves; whoever trains them decodes them anyway.
@FunctionalInterface
public interface Patience {
    /// Every picture is looked at.
    Patience ENDLESS = () -> false;

    boolean isOver();

    /// From now on for so long.
    static Patience lasting(Duration time) {
        long start = System.nanoTime();
        return () -> System.nanoTime() - start >= time.toNanos();
    }
}
