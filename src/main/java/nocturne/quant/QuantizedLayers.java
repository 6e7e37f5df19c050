package nocturne.quant;

import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import nocturne.io.TensorEntry;
import nocturne.io.TensorSource;
import org.jspecify.annotations.Nullable;

/// The layers of a model that are kept in a smaller format, one part of the model at a time: as they lie in its files
/// if that is the format, else from the cache if they are there, else quantised by as many threads as there are
/// processors. What was quantised is one part at most.
public final class QuantizedLayers {
    private static final String WEIGHT = ".weight";
    /// Left for everybody else on the disk.
    private static final long SPARE_BYTES = 1L << 30;

    private final Float8Tensors source;
    private final LayerFormats formats;
    private final @Nullable QuantizedCache cache;

    /// Some layers' matrices, until this is closed.
    public interface Part extends AutoCloseable {
        /// Without layers.
        Part EMPTY = new Part() {
            @Override
            public @Nullable QuantizedMatrix matrix(String module) {
                return null;
            }

            @Override
            public void close() {}
        };

        /// The weights of a layer; null if it stays as it is, or is no layer of this part.
        @Nullable QuantizedMatrix matrix(String module);

        @Override
        void close();
    }

    private QuantizedLayers(Float8Tensors source, LayerFormats formats, @Nullable QuantizedCache cache) {
        this.source = source;
        this.formats = formats;
        this.cache = cache;
    }

    /// The layers of a model's files, behind a cache. Where the disk has no room for that, they are quantised at each
    /// start, and the person is told.
    ///
    /// @param cache null to quantise at each start
    /// @param parts all that will be asked for: the modules of each
    public static QuantizedLayers of(TensorSource source, LayerFormats formats, @Nullable QuantizedCache cache,
            Collection<? extends Collection<String>> parts) {
        return of(source, formats, cache, parts, cache == null ? OptionalLong.empty() : cache.freeBytes());
    }

    /// @param free bytes on the disk, if they are known
    static QuantizedLayers of(TensorSource source, LayerFormats formats, @Nullable QuantizedCache cache,
            Collection<? extends Collection<String>> parts, OptionalLong free) {
        QuantizedLayers layers = new QuantizedLayers(Float8Tensors.of(source), formats, cache);
        if (cache == null) return layers;
        long needed = parts.stream().mapToLong(part -> layers.bytesToWrite(part, cache)).sum();
        if (needed == 0 || free.isEmpty() || free.getAsLong() >= needed + SPARE_BYTES) return layers;
        cache.noteLackOfRoom(needed, free.getAsLong());
        return new QuantizedLayers(layers.source, formats, null);
    }

    private long bytesToWrite(Collection<String> modules, QuantizedCache where) {
        SortedMap<String, WeightType> types = toQuantize(modules);
        if (types.isEmpty() || where.contains(where.key(types))) return 0;
        long bytes = 0;
        for (Map.Entry<String, WeightType> layer : types.entrySet()) {
            TensorEntry entry = source.entry(layer.getKey() + WEIGHT);
            int columns = columns(entry);
            bytes += layer.getValue().bytes(Math.toIntExact(entry.elements() / columns), columns);
        }
        return bytes;
    }

    /// The layers of one part of the model; close it before asking for the next.
    ///
    /// @param modules all layers of the part, whether kept in a format or not
    public Part part(Collection<String> modules) {
        Arena memory = Arena.ofShared();
        try {
            Map<String, QuantizedMatrix> stored = inParallel(
                    modules.stream().filter(this::isStored).toList(), module -> source.codes(module, memory));
            SortedMap<String, WeightType> types = toQuantize(modules);
            if (cache == null || types.isEmpty()) return open(stored, quantize(types, memory), memory::close);
            QuantizedFile file = cache.get(cache.key(types), room -> quantize(types, room));
            return open(stored, file.matrices(), () -> {
                file.close();
                memory.close();
            });
        } catch (RuntimeException | Error failure) {
            memory.close();
            throw failure;
        }
    }

    private static Part open(
            Map<String, QuantizedMatrix> stored, Map<String, QuantizedMatrix> quantized, Runnable close) {
        return new Part() {
            @Override
            public @Nullable QuantizedMatrix matrix(String module) {
                QuantizedMatrix lying = stored.get(module);
                return lying == null ? quantized.get(module) : lying;
            }

            @Override
            public void close() {
                close.run();
            }
        };
    }

    private Optional<WeightType> type(String module) {
        TensorEntry entry = source.tensors().get(module + WEIGHT);
        return entry == null ? Optional.empty() : formats.of(module, columns(entry));
    }

    /// Whether a layer lies in the files in the format in which it is to be kept.
    private boolean isStored(String module) {
        return source.hasCodes(module) && type(module).filter(WeightType::isFloat8).isPresent();
    }

    /// Which of the layers are brought to a format, in an order that does not depend on who asks.
    private SortedMap<String, WeightType> toQuantize(Collection<String> modules) {
        SortedMap<String, WeightType> types = new TreeMap<>();
        for (String module : modules) {
            if (!isStored(module)) type(module).ifPresent(type -> types.put(module, type));
        }
        return types;
    }

    private static int columns(TensorEntry entry) {
        return Math.toIntExact(entry.shape().getLast());
    }

    private SequencedMap<String, QuantizedMatrix> quantize(
            SortedMap<String, WeightType> types, SegmentAllocator memory) {
        return inParallel(List.copyOf(types.keySet()), module -> QuantizedMatrix.quantize(
                source, module + WEIGHT, Objects.requireNonNull(types.get(module)), memory));
    }

    private static SequencedMap<String, QuantizedMatrix> inParallel(
            List<String> modules, Function<String, QuantizedMatrix> make) {
        Map<String, QuantizedMatrix> made = new ConcurrentHashMap<>();
        modules.parallelStream().forEach(module -> made.put(module, make.apply(module)));
        return new TreeMap<>(made);
    }
}
