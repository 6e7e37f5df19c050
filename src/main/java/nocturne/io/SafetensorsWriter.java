package nocturne.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import nocturne.problem.UserMistake;

/// Writes safetensors files in one pass, complete before they get their name.
public final class SafetensorsWriter {
    private static final int BLOCK = 4096;
    private static final JsonFactory JSON = new JsonFactory();

    private SafetensorsWriter() {}

    /// Writes `target`, header keys in the given order.
    ///
    /// The bytes of wider types come first, as in the format's own writer, so that every tensor is aligned for readers
    /// that map the file. The same arguments always give the same bytes.
    ///
    /// @throws UserMistake `VALUES_OUT_OF_RANGE` for a tensor that [TensorData#mustBeFinite] and is not
    public static void write(Path target, Map<String, String> metadata, List<TensorData> tensors) {
        write(target, metadata, tensors, written -> {});
    }

    /// The same; `verify` may refuse the written file before it gets its final name, as in
    /// [AtomicFiles#write(Path, long, IOConsumer, IOConsumer)].
    public static void write(
            Path target, Map<String, String> metadata, List<TensorData> tensors, IOConsumer<Path> verify) {
        List<TensorData> inFile = new ArrayList<>(tensors);
        inFile.sort(Comparator.comparingInt((TensorData tensor) -> tensor.dtype().bytes()).reversed());
        Map<String, Long> offsets = new HashMap<>();
        long end = 0;
        for (TensorData tensor : inFile) {
            if (offsets.put(tensor.name(), end) != null) {
                throw new IllegalArgumentException("two tensors called " + tensor.name());
            }
            end += tensor.storedBytes();
        }
        byte[] header = header(metadata, tensors, offsets);
        AtomicFiles.write(target, header.length + end, out -> {
            out.write(header);
            for (TensorData tensor : inFile) writeTensor(out, tensor);
        }, verify);
    }

    private static byte[] header(Map<String, String> metadata, List<TensorData> tensors, Map<String, Long> offsets) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(new byte[Long.BYTES]);
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectFieldStart("__metadata__");
                for (Map.Entry<String, String> entry : metadata.entrySet()) {
                    json.writeStringField(entry.getKey(), entry.getValue());
                }
                json.writeEndObject();
            }
            for (TensorData tensor : tensors) {
                json.writeObjectFieldStart(tensor.name());
                json.writeStringField("dtype", tensor.dtype().name());
                json.writeArrayFieldStart("shape");
                for (long size : tensor.shape()) json.writeNumber(size);
                json.writeEndArray();
                json.writeArrayFieldStart("data_offsets");
                long begin = offsets.getOrDefault(tensor.name(), 0L);
                json.writeNumber(begin);
                json.writeNumber(begin + tensor.storedBytes());
                json.writeEndArray();
                json.writeEndObject();
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new IllegalArgumentException("a header that cannot be written as JSON: " + e.getMessage(), e);
        }
        // Spaces up to a multiple of 8 keep the tensor bytes aligned.
        while (bytes.size() % 8 != 0) bytes.write(' ');
        byte[] header = bytes.toByteArray();
        long length = header.length - Long.BYTES;
        if (length > SafetensorsHeader.MAX_HEADER_BYTES) {
            throw new IllegalArgumentException("a header of " + length + " bytes");
        }
        ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
        return header;
    }

    private static void writeTensor(OutputStream out, TensorData tensor) throws IOException {
        int from = tensor.isNarrowed() ? Float.BYTES : tensor.dtype().bytes();
        long elements = tensor.source().byteSize() / from;
        ByteBuffer block = ByteBuffer.allocate(BLOCK * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long at = 0; at < elements; at += BLOCK) {
            int count = (int) Math.min(BLOCK, elements - at);
            MemorySegment part = tensor.source().asSlice(at * from, (long) count * from);
            block.clear();
            if (tensor.isNarrowed()) {
                putNarrowed(block, part, count, tensor, at);
            } else {
                putRaw(block, part, count, tensor.dtype());
            }
            out.write(block.array(), 0, block.position());
        }
    }

    private static void putNarrowed(ByteBuffer block, MemorySegment part, int count, TensorData tensor, long first) {
        DType type = tensor.dtype();
        for (int i = 0; i < count; i++) {
            float value = part.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) i * Float.BYTES);
            float stored;
            if (type == DType.F32) {
                block.putFloat(stored = value);
            } else if (type == DType.F16) {
                short bits = HalfPrecision.toF16(value);
                block.putShort(bits);
                stored = HalfPrecision.fromF16(bits);
            } else {
                short bits = HalfPrecision.toBf16(value);
                block.putShort(bits);
                stored = HalfPrecision.fromBf16(bits);
            }
            if (tensor.isCheckedFinite() && !Float.isFinite(stored)) throw outOfRange(tensor, first + i, value);
        }
    }

    private static UserMistake outOfRange(TensorData tensor, long index, float value) {
        String advice = Float.isFinite(value)
                ? "which %s cannot hold; save as bf16 or float32".formatted(tensor.dtype())
                : "which is not a number to be saved; the training has diverged";
        return new UserMistake("VALUES_OUT_OF_RANGE", tensor.name(),
                "element %d is %s, %s".formatted(index, value, advice));
    }

    private static void putRaw(ByteBuffer block, MemorySegment part, int count, DType type) {
        switch (type.bytes()) {
            case 1 -> block.put(part.toArray(ValueLayout.JAVA_BYTE));
            case 4 -> Arrays.stream(part.toArray(ValueLayout.JAVA_INT_UNALIGNED)).forEach(block::putInt);
            case 8 -> Arrays.stream(part.toArray(ValueLayout.JAVA_LONG_UNALIGNED)).forEach(block::putLong);
            default -> throw new IllegalArgumentException(count + " elements of " + type + " are not written raw");
        }
    }
}
