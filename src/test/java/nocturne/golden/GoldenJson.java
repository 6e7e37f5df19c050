package nocturne.golden;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.StreamSupport;

/// The JSON files among the golden numbers, from the folder that `-Dgolden.dir` names.
public final class GoldenJson {
    private GoldenJson() {}

    /// @param name relative to the golden folder, such as `golden/scheduler.json`
    public static JsonNode load(String name) {
        Path file = Path.of(System.getProperty("golden.dir", "src/test/resources"), name);
        try {
            return new ObjectMapper().readTree(file.toFile());
        } catch (IOException e) {
            throw new AssertionError("golden file " + file, e);
        }
    }

    public static double[] doubles(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).mapToDouble(JsonNode::doubleValue).toArray();
    }

    public static float[] floats(JsonNode array) {
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) values[i] = array.get(i).floatValue();
        return values;
    }
}
