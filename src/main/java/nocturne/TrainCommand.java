package nocturne;

import java.io.File;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import nocturne.hub.HubCache;
import nocturne.plan.ModelSearch;
import nocturne.train.MemoryBudget;
import nocturne.train.Training;
import nocturne.train.TrainingRequest;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `nocturne train BUNDLE`: one training, from start or from where it stopped.
@Command(name = "train", description = "Trains a LoRA; run again after an interruption, it goes on where it stopped.")
final class TrainCommand implements Callable<Integer> {
    private static final double MOST_HOURS = 10_000;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(
            paramLabel = "BUNDLE",
            description = "Folder or zip with the pictures, their captions and at most one recipe.")
    private Path bundle = Path.of("");

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "What the bundle is called; a recipe without a name gets it. Default: its file name.")
    private @Nullable String name;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Folder for checkpoints, samples and state. Default: outbox/ and the bundle's name.")
    private @Nullable Path out;

    @Option(
            names = "--model",
            paramLabel = "DIR",
            description = "Pipeline to train on: a folder with transformer/, vae/, text_encoder/ and so on."
                    + " Default: what the recipe names, else Qwen/Qwen-Image-Edit-2509. The small pipeline that comes"
                    + " with Nocturne is models/qwen-image-tiny.")
    private @Nullable Path model;

    @Option(
            names = "--model-folder",
            paramLabel = "DIR",
            description = "Where that pipeline lies, for a service that has looked already; then --model and the"
                    + " recipe only say what it is called.")
    private @Nullable Path modelFolder;

    @Option(
            names = "--model-roots",
            paramLabel = "DIRS",
            description = "Folders in which models may lie, for a service that knows its own; as in PATH, and may be"
                    + " empty. Default: nocturne.models.roots of the settings, beside what a person may name.")
    private @Nullable String modelRoots;

    @Option(
            names = "--cache",
            paramLabel = "DIR",
            description = "Where what was computed of pictures and captions is kept for the next run."
                    + " Default: work/cache beside the launcher.")
    private @Nullable Path cache;

    @Option(
            names = "--max-hours",
            paramLabel = "H",
            description = "End after this time, all attempts together, with the adapter as it then is."
                    + " Default: no limit.")
    private @Nullable Double maxHours;

    @Option(
            names = "--supervised",
            description = "A service watches this run: standard input is a pipe that it holds open, and the run saves"
                    + " its state and leaves when the pipe ends; .state/heartbeat.json says what it is at.")
    private boolean supervised;

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Mixin
    private MemoryOption memory = new MemoryOption();

    @Mixin
    private SettingsOptions settings = new SettingsOptions();

    TrainCommand() {}

    @Override
    public Integer call() {
        device.check(spec.commandLine());
        Duration limit = timeLimit();
        MemoryBudget budget = memory.budget(spec.commandLine(), device.name());
        // Names and notices are printed as they are; the platform's charset may know only ASCII.
        PrintStream console = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        StopSignal stop = ((Main) spec.root().userObject()).stopSignal();
        stop.onSignal();
        if (supervised) stop.onEndOf(System.in);
        TrainingRequest request = new TrainingRequest(bundle, name, out, model, device.threads(), Home.folder(),
                Version.number(), console, supervised, limit, stop, cache, models());
        boolean complete = Training.run(request, device::open, budget);
        return (complete ? ExitCode.DONE : ExitCode.STOPPED).number();
    }

    private ModelSearch models() {
        if (modelFolder == null && modelRoots == null) return settings.models();
        List<Path> roots = new ArrayList<>();
        for (String root : modelRoots == null ? List.<String>of() : List.of(modelRoots.split(File.pathSeparator))) {
            if (!root.isEmpty()) roots.add(Path.of(root).toAbsolutePath().normalize());
        }
        if (modelFolder != null) return new ModelSearch.At(modelFolder, roots);
        // A job of a version that did not keep the folder: what a sender may have is what he may have here.
        return new ModelSearch.Below(Home.folder(), roots, HubCache.ofThisUser().orElse(null));
    }

    private @Nullable Duration timeLimit() {
        Double hours = maxHours;
        if (hours == null) return null;
        if (!(hours > 0 && hours <= MOST_HOURS)) {
            throw new ParameterException(spec.commandLine(),
                    "--max-hours " + hours + ": more than 0 and at most 10000, please.");
        }
        return Duration.ofMillis(Math.round(hours * Duration.ofHours(1).toMillis()));
    }
}
