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
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import nocturne.problem.UserMistake;

/// Writes safetensors files in one pass, complete before they get their name.
public final class SafetensorsWriter {
    private static final int BLOCK = 4096;
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final ValueLayout.OfFloat FLOATS = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfInt INTS = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONGS = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfFloat FLOATS_LE = FLOATS.withOrder(LITTLE);
    private static final ValueLayout.OfInt INTS_LE = INTS.withOrder(LITTLE);
    private static final ValueLayout.OfLong LONGS_LE = LONGS.withOrder(LITTLE);
    private static final ValueLayout.OfShort SHORTS_LE = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE);
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
        List<TensorData> inFile = inFileOrder(tensors);
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

    /// SHA-256 of the tensor bytes, without the header, that [#write] would write: 64 lower-case hexadecimal digits.
    /// Viewers of adapters call it `sshs_model_hash`.
    public static String dataHash(List<TensorData> tensors) {
        MessageDigest digest = ContentHash.sha256();
        try (OutputStream out = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
            for (TensorData tensor : inFileOrder(tensors)) writeTensor(out, tensor);
        } catch (IOException e) {
            throw new IllegalStateException("hashing memory cannot fail", e);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static List<TensorData> inFileOrder(List<TensorData> tensors) {
        List<TensorData> inFile = new ArrayList<>(tensors);
        inFile.sort(Comparator.comparingInt((TensorData tensor) -> tensor.dtype().bytes()).reversed());
        return inFile;
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
        long length = (long) header.length - Long.BYTES;
        if (length > SafetensorsHeader.MAX_HEADER_BYTES) {
            throw new IllegalArgumentException("a header of " + length + " bytes");
        }
        ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
        return header;
    }

    private static void writeTensor(OutputStream out, TensorData tensor) throws IOException {
        if (tensor.isNarrowed()) {
            writeNarrowed(out, tensor);
        } else {
            writeRaw(out, tensor);
        }
    }

    /// In blocks over arrays, which the compiler vectorises: copy in, convert, check, copy out.
    private static void writeNarrowed(OutputStream out, TensorData tensor) throws IOException {
        DType type = tensor.dtype();
        long elements = tensor.source().byteSize() / Float.BYTES;
        float[] values = new float[BLOCK];
        short[] halves = new short[BLOCK];
        byte[] bytes = new byte[BLOCK * Float.BYTES];
        MemorySegment block = MemorySegment.ofArray(bytes);
        for (long at = 0; at < elements; at += BLOCK) {
            int count = (int) Math.min(BLOCK, elements - at);
            MemorySegment.copy(tensor.source(), FLOATS, at * Float.BYTES, values, 0, count);
            float factor = tensor.factor();
            if (factor != 1) for (int i = 0; i < count; i++) values[i] *= factor;
            if (type == DType.F32) {
                MemorySegment.copy(values, 0, block, FLOATS_LE, 0, count);
            } else {
                if (type == DType.F16) for (int i = 0; i < count; i++) halves[i] = Float.floatToFloat16(values[i]);
                else for (int i = 0; i < count; i++) halves[i] = HalfPrecision.toBf16(values[i]);
                MemorySegment.copy(halves, 0, block, SHORTS_LE, 0, count);
            }
            if (tensor.isCheckedFinite()) requireFinite(tensor, values, count, at);
            out.write(bytes, 0, count * type.bytes());
        }
    }

    private static void requireFinite(TensorData tensor, float[] values, int count, long first) {
        // From here on a value rounds to infinity: half a unit in the last place above the largest.
        float limit = switch (tensor.dtype()) {
            case F16 -> 65520f;
            case BF16 -> 0x1.ffp127f;
            default -> Float.POSITIVE_INFINITY;
        };
        for (int i = 0; i < count; i++) {
            // Written so that a NaN is caught as well.
            if (!(Math.abs(values[i]) < limit)) throw outOfRange(tensor, first + i, values[i]);
        }
    }

    private static UserMistake outOfRange(TensorData tensor, long index, float value) {
        String advice = Float.isFinite(value)
                ? "which %s cannot hold; save as bf16 or float32".formatted(tensor.dtype())
                : "which is not a number to be saved; the training has diverged";
        return new UserMistake("VALUES_OUT_OF_RANGE", tensor.name(),
                "element %d is %s, %s".formatted(index, value, advice));
    }

    private static void writeRaw(OutputStream out, TensorData tensor) throws IOException {
        int size = tensor.dtype().bytes();
        long elements = tensor.source().byteSize() / size;
        byte[] bytes = new byte[BLOCK * size];
        MemorySegment block = MemorySegment.ofArray(bytes);
        for (long at = 0; at < elements; at += BLOCK) {
            int count = (int) Math.min(BLOCK, elements - at);
            long from = at * size;
            switch (size) {
                case 1 -> MemorySegment.copy(tensor.source(), from, block, 0, count);
                case 4 -> MemorySegment.copy(tensor.source(), INTS, from, block, INTS_LE, 0, count);
                case 8 -> MemorySegment.copy(tensor.source(), LONGS, from, block, LONGS_LE, 0, count);
                default -> throw new IllegalArgumentException(tensor.dtype() + " is not written raw");
            }
            out.write(bytes, 0, count * size);
        }
    }
}
