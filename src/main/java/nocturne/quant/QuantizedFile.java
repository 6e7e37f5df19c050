package nocturne.quant;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import nocturne.io.DType;
import nocturne.io.Safetensors;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.io.TensorEntry;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// Quantised matrices in one safetensors file, mapped: nothing is copied until somebody reads it.
///
/// For each matrix `m` the file holds `m.codes`, `m.scale` (F32 `[rows, groups]`) and, for groups of bits,
/// `m.zero_point` (U8 `[rows, groups]`). Codes are F8_E4M3 or I8 `[rows, columns]`, or U8 with the packed bytes. The
/// header's strings say what they mean: `nocturne.matrix.m` is `<format> <type of the weights> <rows>x<columns>`. A
/// checksum over all of it is compared when the file is opened.
///
/// Matrices live until the file is closed. Safe for use by several threads.
public final class QuantizedFile implements AutoCloseable {
    private static final String KEY = "nocturne.key";
    private static final String CHECKSUM = "nocturne.crc32c";
    private static final String MATRIX = "nocturne.matrix.";
    private static final Pattern DESCRIPTION = Pattern.compile("(\\w{1,16}) (F32|BF16) (\\d{1,9})x(\\d{1,9})");
    private static final String CODES = ".codes";
    private static final String SCALE = ".scale";
    private static final String ZERO_POINT = ".zero_point";

    private final Safetensors file;
    private final SequencedMap<String, QuantizedMatrix> matrices;

    private QuantizedFile(Safetensors file, SequencedMap<String, QuantizedMatrix> matrices) {
        this.file = file;
        this.matrices = Collections.unmodifiableSequencedMap(matrices);
    }

    /// Why a file is not what it should be; the file's user makes it again.
    static final class Damaged extends Exception {
        private static final long serialVersionUID = 1L;

        Damaged(String what) {
            super(what, null, false, false);
        }
    }

    /// Writes a file, whole or not at all.
    ///
    /// @param key what decides the content
    /// @throws SickMachine `DISK_FULL` or `WRITE_FAILED`
    /// @throws UserMistake `NOT_WRITABLE`
    static void write(Path target, String key, SequencedMap<String, QuantizedMatrix> matrices) {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put(KEY, key);
        metadata.put(CHECKSUM, checksum(matrices));
        List<TensorData> tensors = new ArrayList<>();
        matrices.forEach((name, matrix) -> {
            metadata.put(MATRIX + name, description(matrix));
            List<Long> groups = List.of((long) matrix.rows(), (long) matrix.type().groups(matrix.columns()));
            tensors.add(TensorData.bytes(
                    name + CODES, matrix.type().encoding().dtype(), shapeOfCodes(matrix), matrix.codes()));
            tensors.add(TensorData.floats(name + SCALE, DType.F32, groups, matrix.scales()));
            if (matrix.zeroPoints().byteSize() > 0) {
                tensors.add(TensorData.bytes(name + ZERO_POINT, DType.U8, groups, matrix.zeroPoints()));
            }
        });
        SafetensorsWriter.write(target, metadata, tensors);
    }

    private static String description(QuantizedMatrix matrix) {
        return "%s %s %dx%d".formatted(
                matrix.type().spelling(), matrix.rounding(), matrix.rows(), matrix.columns());
    }

    private static List<Long> shapeOfCodes(QuantizedMatrix matrix) {
        return matrix.type().encoding() instanceof BitGroups
                ? List.of(matrix.codes().byteSize())
                : List.of((long) matrix.rows(), (long) matrix.columns());
    }

    /// Maps a file and reads it once, to compare it with its checksum.
    ///
    /// @throws Damaged if it is not what [#write] wrote under this key
    /// @throws UserMistake `FILE_UNREADABLE` or the like if it cannot be opened at all
    static QuantizedFile open(Path path, String key) throws Damaged {
        Safetensors file;
        try {
            file = Safetensors.open(path);
        } catch (UserMistake e) {
            if (e.problems().stream().anyMatch(problem -> problem.code().equals(Safetensors.INVALID))) {
                throw new Damaged("it is no sound safetensors file");
            }
            throw e;
        }
        boolean sound = false;
        try {
            if (!key.equals(file.metadata().get(KEY))) throw new Damaged("it was made from other weights");
            QuantizedFile opened = new QuantizedFile(file, matrices(file));
            if (!checksum(opened.matrices).equals(file.metadata().get(CHECKSUM))) {
                throw new Damaged("its numbers do not have the checksum they were written with");
            }
            sound = true;
            return opened;
        } finally {
            if (!sound) file.close();
        }
    }

    private static SequencedMap<String, QuantizedMatrix> matrices(Safetensors file) throws Damaged {
        SequencedMap<String, QuantizedMatrix> matrices = new LinkedHashMap<>();
        for (Map.Entry<String, String> entry : file.metadata().entrySet()) {
            if (!entry.getKey().startsWith(MATRIX)) continue;
            String name = entry.getKey().substring(MATRIX.length());
            matrices.put(name, matrix(file, name, entry.getValue()));
        }
        return matrices;
    }

    private static QuantizedMatrix matrix(Safetensors file, String name, String description) throws Damaged {
        Matcher words = DESCRIPTION.matcher(description);
        Optional<WeightType> type = words.matches() ? WeightType.named(words.group(1)) : Optional.empty();
        if (type.isEmpty()) throw new Damaged("it does not say how its matrices are to be read");
        int rows = Integer.parseInt(words.group(3));
        int columns = Integer.parseInt(words.group(4));
        try {
            return new QuantizedMatrix(type.get(), Rounding.valueOf(words.group(2)), rows, columns,
                    bytes(file, name + CODES, type.get().encoding().dtype()),
                    bytes(file, name + SCALE, DType.F32),
                    type.get().encoding().hasZeroPoints()
                            ? bytes(file, name + ZERO_POINT, DType.U8)
                            : MemorySegment.NULL);
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new Damaged("a matrix in it is not as it says: " + e.getMessage());
        }
    }

    private static MemorySegment bytes(Safetensors file, String name, DType type) throws Damaged {
        TensorEntry entry = file.tensors().get(name);
        if (entry == null || entry.dtype() != type) throw new Damaged("it lacks one of its tensors");
        return file.bytes(name);
    }

    /// Over names, descriptions and bytes. It is there to find damage, not malice, and is as fast as memory.
    private static String checksum(SequencedMap<String, QuantizedMatrix> matrices) {
        CRC32C crc = new CRC32C();
        matrices.forEach((name, matrix) -> {
            crc.update((name + "\n" + description(matrix) + "\n").getBytes(StandardCharsets.UTF_8));
            for (MemorySegment part : List.of(matrix.codes(), matrix.scales(), matrix.zeroPoints())) {
                update(crc, part);
            }
        });
        return Long.toHexString(crc.getValue());
    }

    private static void update(CRC32C crc, MemorySegment bytes) {
        long most = 1 << 30;
        for (long at = 0; at < bytes.byteSize(); at += most) {
            ByteBuffer piece = bytes.asSlice(at, Math.min(most, bytes.byteSize() - at)).asByteBuffer();
            crc.update(piece);
        }
    }

    /// The matrices by name, in the order they were written.
    public SequencedMap<String, QuantizedMatrix> matrices() {
        return matrices;
    }

    @Override
    public void close() {
        file.close();
    }
}
