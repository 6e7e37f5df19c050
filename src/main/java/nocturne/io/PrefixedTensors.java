package nocturne.io;

import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/// The tensors of a source whose names share a prefix, under their names without it.
final class PrefixedTensors implements TensorSource {
    private final TensorSource whole;
    private final String prefix;
    private final SequencedMap<String, TensorEntry> tensors;

    PrefixedTensors(TensorSource whole, String prefix) {
        this.whole = whole;
        this.prefix = prefix;
        SequencedMap<String, TensorEntry> named = new LinkedHashMap<>();
        whole.tensors().forEach((name, entry) -> {
            if (!name.startsWith(prefix)) return;
            String rest = name.substring(prefix.length());
            named.put(rest, new TensorEntry(rest, entry.dtype(), entry.shape(), entry.offset(), entry.bytes()));
        });
        tensors = Collections.unmodifiableSequencedMap(named);
    }

    @Override
    public String where() {
        return whole.where();
    }

    @Override
    public Map<String, String> metadata() {
        return whole.metadata();
    }

    @Override
    public SequencedMap<String, TensorEntry> tensors() {
        return tensors;
    }

    @Override
    public MemorySegment bytes(String name) {
        return whole.bytes(prefix + entry(name).name());
    }

    @Override
    public void close() {
        whole.close();
    }
}
