package nocturne;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.stream.Collectors;
import nocturne.memory.ActivationPlan;
import nocturne.memory.MemoryPlan;
import nocturne.memory.MemoryTable;
import nocturne.quant.WeightType;
import nocturne.train.Bench;
import nocturne.train.OperationBench;

/// What `nocturne bench` says, in words or for programs.
///
/// @param where the device's name
record BenchReport(Bench.Settings settings, Bench.Result result, String where) {
    private static final double MIB = 1 << 20;
    private static final double TERA = 1e12;
    private static final double MS = 1e-3;

    String sentences() {
        Bench.Parts parts = result.parts();
        ActivationPlan kept = result.plan().activations();
        String onDevice = result.devicePeakBytes() < 0 ? ""
                : "\nPeak memory on the device %,.0f MiB; %,.0f MiB were expected:\n%s".formatted(
                        result.devicePeakBytes() / MIB, result.plan().peakBytes() / MIB, expected());
        return String.format(Locale.ROOT, """
                %s size on %s: %.2f ms a step (median of %d; %.2f to %.2f), %.1f TFLOP/s.
                In parts: forward %.2f ms, backward %.2f ms, update %.2f ms; loss %.4f.
                Every 64 steps, for their modulation: %.2f ms.
                Of %d blocks %d stay on the device; %d keep everything, %d results of products, %d their inputs.
                Peak memory of this process %d MiB; %d MiB tensors; %,d frozen (%s) and \
                %,d trained parameters.""",
                settings.size().name(), where, result.medianMs(), settings.steps(), result.minMs(), result.maxMs(),
                teraflops(), parts.forward(), parts.backward(), parts.update(), result.loss(),
                result.announceMs(), kept.layers(),
                Math.min(kept.layers(), result.plan().residency().residentBlocks()), kept.all(),
                kept.products(), kept.inputs(), result.peakMib(),
                result.tensorBytes() >> 20, result.baseParameters(), format(), result.loraParameters())
                + onDevice + result.notices().stream().map("\nNote: "::concat).collect(Collectors.joining());
    }

    private String expected() {
        return MemoryTable.of(result.plan()).stream().map(row -> "  " + row).collect(Collectors.joining("\n"));
    }

    /// Of all that a step cannot do without.
    private double teraflops() {
        return result.usefulFlops() / (result.medianMs() * MS) / TERA;
    }

    private String format() {
        WeightType type = settings.format();
        return type == null ? "plain" : type.spelling();
    }

    /// The names are those of the PyTorch peer's script, so that both can be put side by side.
    String line() {
        ObjectNode line = JsonNodeFactory.instance.objectNode()
                .put("ms_median", rounded(result.medianMs()))
                .put("ms_min", rounded(result.minMs()))
                .put("ms_max", rounded(result.maxMs()))
                .put("peak_mib", result.devicePeakBytes() < 0 ? result.peakMib() : result.devicePeakBytes() >> 20)
                .put("process_mib", result.peakMib())
                .put("tensor_mib", result.tensorBytes() >> 20)
                .put("base_params", result.baseParameters())
                .put("lora_params", result.loraParameters())
                .put("size", settings.size().name())
                .put("layers", settings.size().config().layers())
                .put("format", format())
                .put("steps", settings.steps())
                .put("warmup", settings.warmup())
                .put("tflops_step", result.usefulFlops() / TERA)
                .put("tflops_a_second", rounded(teraflops()))
                .put("loss", result.loss())
                .put("device", where);
        line.putObject("ms_in_parts")
                .put("forward", rounded(result.parts().forward()))
                .put("backward", rounded(result.parts().backward()))
                .put("update", rounded(result.parts().update()));
        MemoryPlan plan = result.plan();
        line.putObject("blocks_that_keep")
                .put("all", plan.activations().all())
                .put("products", plan.activations().products())
                .put("inputs", plan.activations().inputs());
        line.put("blocks_on_device", Math.min(plan.residency().residentBlocks(), plan.activations().layers()))
                .put("expected_peak_mib", plan.peakBytes() >> 20)
                .put("ms_to_announce", rounded(result.announceMs()));
        ObjectNode bytes = line.putObject("expected_bytes");
        MemoryTable.of(plan).forEach(row -> bytes.put(row.name(), row.bytes()));
        result.notices().forEach(line.putArray("notices")::add);
        return line.toString();
    }

    static String sentence(OperationBench.Time time) {
        return String.format(Locale.ROOT, "%-34s %9.3f ms %8.1f TFLOP/s", time.operation(), time.milliseconds(),
                time.flops() / (time.milliseconds() * MS) / TERA);
    }

    static String line(OperationBench.Time time) {
        return JsonNodeFactory.instance.objectNode()
                .put("operation", time.operation())
                .put("ms", rounded(time.milliseconds()))
                .put("tflops_a_second", rounded(time.flops() / (time.milliseconds() * MS) / TERA))
                .toString();
    }

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }
}
