package nocturne.qwen;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The golden numbers of one safetensors file, for the tests of this package and of `nocturne.image`.
public final class TensorFile {
    /// The folder of the golden files; another set of the same layout may be given with `-Dgolden.dir`.
    public static final Path GOLDEN = Path.of(System.getProperty("golden.dir", "src/test/resources"));

    private final JsonNode header;
    private final ByteBuffer data;

    private TensorFile(JsonNode header, ByteBuffer data) {
        this.header = header;
        this.data = data;
    }

    public static TensorFile read(String name) {
        try {
            ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(GOLDEN.resolve(name))).order(ByteOrder.LITTLE_ENDIAN);
            int length = Math.toIntExact(file.getLong(0));
            JsonNode header = new ObjectMapper().readTree(new String(file.array(), 8, length, StandardCharsets.UTF_8));
            return new TensorFile(header, file.slice(8 + length, file.capacity() - 8 - length));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static JsonNode json(String name) {
        try {
            return new ObjectMapper().readTree(GOLDEN.resolve(name).toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public boolean has(String key) {
        return header.has(key);
    }

    public List<String> keys() {
        List<String> keys = new ArrayList<>();
        header.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    public int[] shape(String key) {
        JsonNode shape = entry(key).path("shape");
        int[] sizes = new int[shape.size()];
        for (int i = 0; i < sizes.length; i++) sizes[i] = shape.get(i).asInt();
        return sizes;
    }

    public float[] floats(String key) {
        ByteBuffer bytes = bytes(key);
        float[] values = new float[bytes.remaining() / 4];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    public int[] ints(String key) {
        ByteBuffer bytes = bytes(key);
        int[] values = new int[bytes.remaining() / 4];
        bytes.asIntBuffer().get(values);
        return values;
    }

    public byte[] unsignedBytes(String key) {
        ByteBuffer bytes = bytes(key);
        byte[] values = new byte[bytes.remaining()];
        bytes.get(values);
        return values;
    }

    private ByteBuffer bytes(String key) {
        JsonNode offsets = entry(key).path("data_offsets");
        int from = offsets.get(0).asInt();
        return data.slice(from, offsets.get(1).asInt() - from).order(ByteOrder.LITTLE_ENDIAN);
    }

    private JsonNode entry(String key) {
        JsonNode entry = header.get(key);
        if (entry == null) throw new AssertionError("the golden file has no " + key);
        return entry;
    }
}
