package nocturne;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.Locale;
import java.util.concurrent.Callable;
import nocturne.tensor.Backend;
import nocturne.tensor.Tape;
import nocturne.train.Bench;
import org.jspecify.annotations.Nullable;
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

    @Option(names = "--warmup", paramLabel = "N",
            description = "Steps before that. Default: until the JVM has compiled all it will (4000 tiny, 6 middle).")
    private @Nullable Integer warmup;

    @Option(names = "--checkpointing", description = "Keep only the blocks' inputs and compute the rest twice.")
    private boolean checkpointing;

    @Option(names = "--json", description = "Print one JSON line instead of a sentence.")
    private boolean json;

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    BenchCommand() {}

    @Override
    public Integer call() {
        device.check(spec.commandLine());
        if (steps < 1) throw new ParameterException(spec.commandLine(), "--steps " + steps + ": at least 1, please.");
        int warmup = warmup();
        if (warmup < 0) throw new ParameterException(spec.commandLine(), "--warmup " + warmup + ": 0 or more, please.");
        Bench.Size measured = switch (size) {
            case TINY -> Bench.Size.TINY;
            case MIDDLE -> Bench.Size.MIDDLE;
        };
        Tape.Keep keep = checkpointing ? Tape.Keep.INPUTS : Tape.Keep.ALL;
        try (Backend backend = device.open(device.threads())) {
            Bench.Result result = Bench.run(new Bench.Settings(measured, steps, warmup, keep), backend);
            spec.commandLine().getOut().println(json ? line(result, backend.name()) : sentence(result, backend.name()));
        }
        return ExitCode.DONE.number();
    }

    private int warmup() {
        Integer asked = warmup;
        if (asked != null) return asked;
        return switch (size) {
            case TINY -> 4000;
            case MIDDLE -> 6;
        };
    }

    private String sentence(Bench.Result result, String where) {
        return """
                %s size on %s: %.2f ms a step (median of %d; %.2f to %.2f).
                Peak memory of this process %d MiB, of that %d MiB tensors; %,d frozen and \
                %,d trained parameters.""".formatted(
                size, where, result.medianMs(), steps, result.minMs(), result.maxMs(), result.peakMib(),
                result.tensorBytes() >> 20, result.baseParameters(), result.loraParameters());
    }

    /// The names are those of the PyTorch peer's script, so that both can be put side by side.
    private String line(Bench.Result result, String where) {
        return JsonNodeFactory.instance.objectNode()
                .put("ms_median", rounded(result.medianMs()))
                .put("ms_min", rounded(result.minMs()))
                .put("ms_max", rounded(result.maxMs()))
                .put("peak_mib", result.peakMib())
                .put("tensor_mib", result.tensorBytes() >> 20)
                .put("base_params", result.baseParameters())
                .put("lora_params", result.loraParameters())
                .put("size", size.toString())
                .put("steps", steps)
                .put("warmup", warmup())
                .put("checkpointing", checkpointing)
                .put("device", where)
                .toString();
    }

    private static double rounded(double milliseconds) {
        return Math.round(milliseconds * 100) / 100.0;
    }
}
