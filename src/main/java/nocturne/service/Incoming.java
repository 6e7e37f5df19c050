package nocturne.service;

import java.nio.file.Path;
import nocturne.job.Job;
import org.jspecify.annotations.Nullable;

/// A bundle at the door, from wherever it came.
///
/// @param source   the zip or folder, on this machine; the intake copies or unpacks it and leaves it where it is
/// @param name     what its sender calls it, such as the zip's name without its ending
/// @param origin   such as `inbox:maya.zip` or `kafka:nocturne.jobs/3@17`
/// @param id       the job id its sender wants; null for one made from the content
/// @param model    a pipeline instead of the one the recipe names; null for the recipe's
/// @param priority higher goes first; 0 is usual
/// @param rerun    train again although the same content was trained before
/// @param claim    what was promised on Kafka; null for what did not come from there
/// @param drop     a name that nothing else dropped into the inbox has, and this one after a restart as well; null for
///                 what did not come from there
public record Incoming(Path source, String name, String origin, @Nullable String id, @Nullable String model,
        int priority, boolean rerun, Job.@Nullable Claim claim,
        @Nullable String drop) {

    /// What did not come from the inbox.
    public Incoming(Path source, String name, String origin, @Nullable String id, @Nullable String model, int priority,
            boolean rerun, Job.@Nullable Claim claim) {
        this(source, name, origin, id, model, priority, rerun, claim, null);
    }

    /// A bundle with nothing to say about itself but its name.
    public static Incoming named(Path source, String name, String origin) {
        return new Incoming(source, name, origin, null, null, 0, false, null);
    }

    /// What was dropped into the inbox, with nothing to say about itself but its name.
    public static Incoming dropped(Path source, String name, String origin, String drop) {
        return new Incoming(source, name, origin, null, null, 0, false, null, drop);
    }
}
