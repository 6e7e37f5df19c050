package nocturne;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import nocturne.quant.WeightType;
import nocturne.tensor.Backend;
import nocturne.tensor.Tape;
import nocturne.train.Bench;
import nocturne.train.OperationBench;
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
        MIDDLE,
        /// The released model: 60 blocks, 24 heads of 128, 64x64 latent tokens, 200 text tokens. For a card.
        FULL;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// The device's own numbers: bf16 on a card.
    private static final String PLAIN = "bf16";

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
            description = "Steps before that."
                    + " Default: until the JVM has compiled all it will (4000 tiny, 6 middle); 2 for full.")
    private @Nullable Integer warmup;

    @Option(names = "--layers", paramLabel = "N", description = "Blocks, for a smaller trial. Default: the size's.")
    private @Nullable Integer layers;

    @Option(names = "--format", paramLabel = "NAME",
            description = "How the frozen weights are kept: a qtype of recipes, such as int8 or float8."
                    + " Default: as the device computes, which is float32 on the processor and bf16 on a card.",
            defaultValue = PLAIN)
    private String format = PLAIN;

    @Option(names = "--keep", paramLabel = "WHAT",
            description = "What each block keeps for its backward pass: ${COMPLETION-CANDIDATES}."
                    + " Default: what fits into the card's memory; on the processor, all.")
    private Tape.@Nullable Keep keep;

    @Option(names = "--checkpointing", description = "The same as --keep inputs.")
    private boolean checkpointing;

    @Option(names = "--operations", description = "Also time the largest operations one by one.")
    private boolean operations;

    @Option(names = "--json", description = "Print one JSON line instead of a sentence.")
    private boolean json;

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Mixin
    private MemoryOption memory = new MemoryOption();

    BenchCommand() {}

    @Override
    public Integer call() {
        device.check(spec.commandLine());
        if (steps < 1) throw mistake("--steps " + steps + ": at least 1, please.");
        OptionalLong vram = memory.bytes(spec.commandLine(), device.name());
        int warmup = warmup();
        if (warmup < 0) throw mistake("--warmup " + warmup + ": 0 or more, please.");
        Bench.Settings settings = new Bench.Settings(measured(), weightType(), steps, warmup,
                checkpointing ? Tape.Keep.INPUTS : keep, vram.isPresent() ? vram.getAsLong() : null);
        try (Backend backend = device.open(device.threads())) {
            PrintWriter out = spec.commandLine().getOut();
            BenchReport report = new BenchReport(settings, Bench.run(settings, backend), backend.name());
            out.println(json ? report.line() : report.sentences());
            out.flush();
            if (operations) {
                OperationBench.run(settings, backend).forEach(
                        time -> out.println(json ? BenchReport.line(time) : BenchReport.sentence(time)));
            }
        }
        return ExitCode.DONE.number();
    }

    private ParameterException mistake(String words) {
        return new ParameterException(spec.commandLine(), words);
    }

    private Bench.Size measured() {
        Bench.Size measured = switch (size) {
            case TINY -> Bench.Size.TINY;
            case MIDDLE -> Bench.Size.MIDDLE;
            case FULL -> Bench.Size.FULL;
        };
        Integer blocks = layers;
        if (blocks == null) return measured;
        if (blocks < 1 || blocks > 1000) throw mistake("--layers " + blocks + ": from 1 to 1000, please.");
        return measured.withLayers(blocks);
    }

    private @Nullable WeightType weightType() {
        if (format.equals(PLAIN)) return null;
        WeightType type = WeightType.named(format).orElseThrow(() -> mistake(
                "--format " + format + ": no such format; write bf16, int8, float8 or another qtype of recipes."));
        return type.isApplied() ? type : null;
    }

    private int warmup() {
        Integer asked = warmup;
        if (asked != null) return asked;
        return switch (size) {
            case TINY -> 4000;
            case MIDDLE -> 6;
            case FULL -> 2;
        };
    }
}
