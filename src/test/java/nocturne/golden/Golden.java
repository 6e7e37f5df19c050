package nocturne.golden;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.DoubleStream;
import java.util.stream.StreamSupport;
import nocturne.io.Safetensors;
import nocturne.io.TensorSource;

/// The golden numbers: where they are, how they are opened and how ours are compared with them.
///
/// Paths are relative to the folder `golden.dir` and start with the set: `golden/optim.json`,
/// `golden2/qwen25vl_text.safetensors`. Another set of the same layout runs with `-Dgolden.dir=...`.
public final class Golden {
    private static final ObjectMapper JSON = new ObjectMapper();
    // Mapped files cost address space only, so tests may share them until the process ends.
    private static final ConcurrentHashMap<String, Safetensors> OPEN = new ConcurrentHashMap<>();

    private Golden() {}

    /// The file or folder at `path` in the golden folder, which need not exist.
    ///
    /// `tiny/` is about the small pipeline that is shipped, and so is always the committed copy.
    public static Path path(String path) {
        if (path.startsWith("tiny/")) return Path.of("src/test/resources").resolve(path);
        return Path.of(System.getProperty("golden.dir", "src/test/resources")).resolve(path);
    }

    /// A golden safetensors file; stays open, must not be closed.
    public static TensorSource tensors(String path) {
        return OPEN.computeIfAbsent(path, file -> Safetensors.open(path(file)));
    }

    public static JsonNode json(String path) {
        try {
            return JSON.readTree(Files.readAllBytes(path(path)));
        } catch (IOException e) {
            throw new UncheckedIOException("golden " + path, e);
        }
    }

    /// The member names of a JSON object, in file order: the case names of a manifest.
    public static List<String> names(JsonNode object) {
        return object.propertyStream().map(Map.Entry::getKey).toList();
    }

    /// A JSON list of numbers, nested lists flattened row by row.
    public static double[] numbers(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false)
                .flatMapToDouble(node -> node.isArray()
                        ? Arrays.stream(numbers(node))
                        : DoubleStream.of(node.doubleValue()))
                .toArray();
    }

    /// Skips the calling test, with a reason, where optional data is absent.
    public static void assumePresent(Path data) {
        assumeTrue(Files.exists(data), () -> data + " is not here; this test needs it");
    }

    /// Largest `|ours - reference|`. A NaN on either side gives NaN, which no bound accepts.
    public static double maxAbsDiff(float[] ours, float[] reference) {
        requireSameLength(ours, reference);
        double largest = 0;
        for (int i = 0; i < ours.length; i++) {
            double difference = Math.abs((double) ours[i] - reference[i]);
            if (Double.isNaN(difference)) return Double.NaN;
            largest = Math.max(largest, difference);
        }
        return largest;
    }

    /// `||ours - reference|| / ||reference||`; 0 if both are zero, infinite if only the reference is.
    public static double relativeL2(float[] ours, float[] reference) {
        requireSameLength(ours, reference);
        double difference = 0;
        double size = 0;
        for (int i = 0; i < ours.length; i++) {
            double d = (double) ours[i] - reference[i];
            difference += d * d;
            size += (double) reference[i] * reference[i];
        }
        return difference == 0 ? 0 : Math.sqrt(difference / size);
    }

    private static void requireSameLength(float[] ours, float[] reference) {
        if (ours.length != reference.length) {
            throw new AssertionError("%d values, the reference has %d".formatted(ours.length, reference.length));
        }
    }
}
