package nocturne.train;

import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import nocturne.plan.ModelSearch;
import org.jspecify.annotations.Nullable;

/// What a person, or the service, asks for with `nocturne train`.
///
/// @param bundle      a folder or zip with pictures, captions and at most one recipe
/// @param name        what the bundle is called by the person who made it; null for its file name
/// @param out         where results go; null for `outbox/<name of the bundle>` below `home`
/// @param model       a pipeline folder instead of the one the recipe names; null for the recipe's
/// @param threads     to compute with
/// @param home        Nocturne's own folder, which holds `models/`
/// @param version     of this program, for the files
/// @param console     where progress is shown
/// @param supervised  whether a service watches: then a heartbeat is written, and progress is plain lines
/// @param timeLimit   after which the run ends with the adapter as it then is, all attempts together; null for none
/// @param stop        asked whether to leave off
/// @param cache       where what was computed of pictures and captions is kept for the next run; null for `work/cache`
///                    below `home`
/// @param search      finds the model; null to look in the usual places
public record TrainingRequest(Path bundle, @Nullable String name, @Nullable Path out, @Nullable Path model,
        int threads, Path home, String version, PrintStream console, boolean supervised, @Nullable Duration timeLimit,
        Stop stop, @Nullable Path cache, @Nullable ModelSearch search) {

    /// With the usual cache.
    public TrainingRequest(Path bundle, @Nullable String name, @Nullable Path out, @Nullable Path model, int threads,
            Path home, String version, PrintStream console, boolean supervised, @Nullable Duration timeLimit,
            Stop stop) {
        this(bundle, name, out, model, threads, home, version, console, supervised, timeLimit, stop, null,
                null);
    }

    /// A run that nobody watches, limits or stops.
    public TrainingRequest(Path bundle, @Nullable Path out, @Nullable Path model, int threads, Path home,
            String version, PrintStream console) {
        this(bundle, null, out, model, threads, home, version, console, false, null, Stop.NEVER);
    }

    ModelSearch models() {
        return search == null ? new ModelSearch.Anywhere(home) : search;
    }

    Path cacheFolder() {
        return cache == null ? home.resolve("work/cache") : cache;
    }
}
