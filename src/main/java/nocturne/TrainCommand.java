package nocturne;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import nocturne.train.Training;
import nocturne.train.TrainingRequest;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `nocturne train BUNDLE`: one training, from start or from where it stopped.
@Command(name = "train", description = "Trains a LoRA; run again after an interruption, it goes on where it stopped.")
final class TrainCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(
            paramLabel = "BUNDLE",
            description = "Folder or zip with the pictures, their captions and at most one recipe.")
    private Path bundle = Path.of("");

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

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    TrainCommand() {}

    @Override
    public Integer call() {
        device.check(spec.commandLine());
        // Names and notices are printed as they are; the platform's charset may know only ASCII.
        PrintStream console = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        // A run that was asked to stop has saved its state; the signal then decides the exit code, as everywhere.
        Training.run(new TrainingRequest(
                bundle, out, model, device.threads(), Home.folder(), Version.number(), console));
        return ExitCode.DONE.number();
    }
}
