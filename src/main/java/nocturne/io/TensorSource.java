package nocturne.io;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import nocturne.problem.UserMistake;

/// Named tensors that can be read: one safetensors file, a folder of shards, or a view of either.
///
/// Safe for use by several threads until it is closed. Closing unmaps the files: segments from [#bytes] die with it.
public interface TensorSource extends AutoCloseable {
    /// The file or folder as the user knows it, for messages.
    String where();

    /// The strings of the file's `__metadata__`; for several files those of all, the first file winning.
    Map<String, String> metadata();

    /// Every tensor by name, in file order.
    SequencedMap<String, TensorEntry> tensors();

    /// The stored bytes of a tensor, read-only, little-endian, possibly unaligned.
    ///
    /// @throws UserMistake `TENSOR_MISSING`, naming the nearest names
    MemorySegment bytes(String name);

    @Override
    void close();

    default boolean has(String name) {
        return tensors().containsKey(name);
    }

    /// @throws UserMistake `TENSOR_MISSING`, naming the nearest names
    default TensorEntry entry(String name) {
        TensorEntry entry = tensors().get(name);
        if (entry != null) return entry;
        List<String> near = NearestNames.of(name, tensors().keySet(), 3).stream()
                .map(SafetensorsHeader::shown).toList();
        String hint = near.isEmpty() ? "it has no tensors at all" : "the nearest names are " + String.join(", ", near);
        throw new UserMistake("TENSOR_MISSING", where(),
                "has no tensor %s; %s".formatted(SafetensorsHeader.shown(name), hint));
    }

    /// Converts a whole tensor to fp32.
    ///
    /// @param target       at least `4 * elements` bytes from `targetOffset` on
    /// @param targetOffset bytes
    default void widen(String name, MemorySegment target, long targetOffset) {
        widen(name, 0, entry(name).elements(), target, targetOffset);
    }

    /// Converts `count` elements of a tensor to fp32, from element `first` on: some rows of an embedding table, say.
    ///
    /// @param targetOffset bytes
    default void widen(String name, long first, long count, MemorySegment target, long targetOffset) {
        TensorEntry entry = entry(name);
        long size = entry.dtype().bytes();
        Widening.toFloats(entry.dtype(), bytes(name).asSlice(first * size, count * size), count, target, targetOffset);
    }

    /// A tensor as an array of its own, row-major.
    default float[] floats(String name) {
        float[] values = new float[arrayLength(name)];
        widen(name, MemorySegment.ofArray(values), 0);
        return values;
    }

    /// A tensor of whole numbers as an array of its own, row-major.
    ///
    /// @throws UserMistake `TENSOR_TYPE` if the stored type is a float or a value does not fit an int
    default int[] ints(String name) {
        TensorEntry entry = entry(name);
        int[] values = new int[arrayLength(name)];
        MemorySegment bytes = bytes(name);
        switch (entry.dtype()) {
            case I64, I32, I16, I8, U8, BOOL -> {
                for (int i = 0; i < values.length; i++) {
                    long value = Widening.integer(entry.dtype(), bytes, i);
                    if (value != (int) value) throw wrongType(entry, "has the value " + value + ", beyond 32 bits");
                    values[i] = (int) value;
                }
            }
            case F64, F32, F16, BF16, F8_E4M3, F8_E5M2 ->
                throw wrongType(entry, "is stored as " + entry.dtype() + ", whole numbers are needed");
        }
        return values;
    }

    /// The tensors whose names start with the first of `prefixes` that any name has, under their names without it.
    /// This source itself if no name has any. Used for files that wrap a model, as in `diffusion_model.img_in.weight`.
    default TensorSource withoutPrefix(String... prefixes) {
        for (String prefix : prefixes) {
            for (String name : tensors().keySet()) {
                if (name.startsWith(prefix)) return new PrefixedTensors(this, prefix);
            }
        }
        return this;
    }

    private int arrayLength(String name) {
        TensorEntry entry = entry(name);
        if (entry.elements() > Integer.MAX_VALUE - 8) {
            throw wrongType(entry, "has %d elements, too many for one array".formatted(entry.elements()));
        }
        return (int) entry.elements();
    }

    private UserMistake wrongType(TensorEntry entry, String what) {
        return new UserMistake("TENSOR_TYPE", where(),
                "tensor %s %s".formatted(SafetensorsHeader.shown(entry.name()), what));
    }
}
