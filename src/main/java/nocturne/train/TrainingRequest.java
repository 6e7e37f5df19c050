package nocturne.train;

import java.io.PrintStream;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// What a person asks for with `nocturne train`.
///
/// @param bundle  a folder or zip with pictures, captions and at most one recipe
/// @param out     where results go; null for `outbox/<name of the bundle>` below `home`
/// @param model   a pipeline folder instead of the one the recipe names; null for the recipe's
/// @param threads to compute with
/// @param home    Nocturne's own folder, which holds `models/`
/// @param version of this program, for the files
/// @param console where progress is shown
public record TrainingRequest(Path bundle, @Nullable Path out, @Nullable Path model, int threads, Path home,
        String version, PrintStream console) {}
