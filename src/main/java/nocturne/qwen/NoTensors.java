package nocturne.qwen;

import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import nocturne.io.TensorEntry;
import nocturne.io.TensorSource;

/// A model without files, to find out with a [nocturne.tensor.Backend#rehearsal] what memory a real one takes: whoever
/// loads from it gets the memory and no numbers.
final class NoTensors implements TensorSource {
    @Override
    public String where() {
        return "no files";
    }

    @Override
    public Map<String, String> metadata() {
        return Map.of();
    }

    @Override
    public SequencedMap<String, TensorEntry> tensors() {
        return Collections.unmodifiableSequencedMap(new TreeMap<>());
    }

    @Override
    public MemorySegment bytes(String name) {
        throw new UnsupportedOperationException("a model without numbers");
    }

    @Override
    public void widen(String name, long first, long count, MemorySegment target, long targetOffset) {}

    @Override
    public void close() {}
}
