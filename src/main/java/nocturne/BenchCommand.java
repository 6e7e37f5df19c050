package nocturne;

import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `nocturne bench`: times the training step on random weights; `docs/benchmarks.md` says what it is compared with.
@Command(name = "bench", description = "Times one optimizer step of LoRA training on random weights.")
final class BenchCommand implements Callable<Integer> {
    /// A model to time, by the name the command line uses.
    enum Size {
        /// The shipped pipeline's transformer: 6 blocks, 4 heads of 32, 4x4 latent tokens, 20 text tokens.
        TINY,
        /// 4 blocks, 8 heads of 64, 32x32 latent tokens, 128 text tokens: products dominate.
        MIDDLE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--size",
            description = "What to time: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.",
            defaultValue = "tiny")
    private Size size = Size.TINY;

    @Option(names = "--steps", paramLabel = "N", description = "Steps to time. Default: ${DEFAULT-VALUE}.",
            defaultValue = "10")
    private int steps = 10;

    @Option(names = "--warmup", paramLabel = "N", description = "Steps before that. Default: ${DEFAULT-VALUE}.",
            defaultValue = "3")
    private int warmup = 3;

    @Option(names = "--json", description = "Print one JSON line instead of a sentence.")
    private boolean json;

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    BenchCommand() {}

    @Override
    public Integer call() {
        device.check(spec.commandLine());
        if (steps < 1) throw new ParameterException(spec.commandLine(), "--steps " + steps + ": at least 1, please.");
        if (warmup < 0) throw new ParameterException(spec.commandLine(), "--warmup " + warmup + ": 0 or more, please.");
        // CONNECT HERE: the one call of nocturne.train.Bench.
        throw new IllegalStateException(
                "the benchmark is not connected yet: size %s, steps %d, warmup %d, json %s, device %s, threads %d"
                        .formatted(size, steps, warmup, json, device.name(), device.threads()));
    }
}
