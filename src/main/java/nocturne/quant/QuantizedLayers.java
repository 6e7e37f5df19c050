package nocturne.quant;

import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import nocturne.io.FreeSpace;
import nocturne.io.TensorEntry;
import nocturne.io.TensorSource;
import org.jspecify.annotations.Nullable;

/// The layers of a model that are kept in a smaller format, one part of the model at a time: from the cache if they are
/// there, else quantised by as many threads as there are processors. What was quantised is one part at most.
public final class QuantizedLayers {
    private static final String WEIGHT = ".weight";
    private static final double GIB = 1L << 30;
    /// Left for everybody else on the disk.
    private static final long SPARE_BYTES = 1L << 30;

    private final TensorSource source;
    private final LayerFormats formats;
    private final String model;
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

    private QuantizedLayers(TensorSource source, LayerFormats formats, String model, @Nullable QuantizedCache cache) {
        this.source = source;
        this.formats = formats;
        this.model = model;
        this.cache = cache;
    }

    /// The layers of a model's files, quantised at each start.
    public static QuantizedLayers of(TensorSource source, LayerFormats formats) {
        return new QuantizedLayers(source, formats, "", null);
    }

    /// The same behind a cache. Where the disk has no room for it, there is none, and the person is told.
    ///
    /// @param parts all that will be asked for: the modules of each
    public static QuantizedLayers of(TensorSource source, LayerFormats formats, WeightCache place,
            Collection<? extends Collection<String>> parts) {
        if (formats.modules().isEmpty()) return of(source, formats);
        QuantizedCache cache = new QuantizedCache(place.folder(), place.notices());
        return of(source, formats, place, cache, parts, FreeSpace.of(place.folder()));
    }

    /// @param free bytes on the disk, if they are known
    static QuantizedLayers of(TensorSource source, LayerFormats formats, WeightCache place, QuantizedCache cache,
            Collection<? extends Collection<String>> parts, OptionalLong free) {
        QuantizedLayers layers = new QuantizedLayers(source, formats, place.model(), cache);
        long needed = 0;
        for (Collection<String> part : parts) needed += layers.bytesToWrite(part, cache);
        if (needed == 0 || free.isEmpty() || free.getAsLong() >= needed + SPARE_BYTES) return layers;
        place.notices().accept(String.format(Locale.ROOT, "the quantised weights are not kept for the next start: they"
                + " need %.2f GiB in %s, where %.2f GiB are free, of which 1 GiB is left alone; they are quantised"
                + " again each time", needed / GIB, place.folder(), free.getAsLong() / GIB));
        return of(source, formats);
    }

    private long bytesToWrite(Collection<String> modules, QuantizedCache where) {
        SequencedMap<String, TensorEntry> tensors = chosen(modules);
        if (tensors.isEmpty() || where.contains(key(tensors))) return 0;
        long bytes = 0;
        for (TensorEntry entry : tensors.values()) {
            int columns = columns(entry);
            bytes += formats.type().bytes(Math.toIntExact(entry.elements() / columns), columns);
        }
        return bytes;
    }

    /// The layers of one part of the model; close it before asking for the next.
    ///
    /// @param modules all layers of the part, whether kept in the format or not
    public Part part(Collection<String> modules) {
        SequencedMap<String, TensorEntry> tensors = chosen(modules);
        if (tensors.isEmpty()) return Part.EMPTY;
        if (cache == null) {
            Arena memory = Arena.ofShared();
            try {
                return open(quantize(tensors, memory), memory::close);
            } catch (RuntimeException | Error failure) {
                memory.close();
                throw failure;
            }
        }
        QuantizedFile file = cache.get(key(tensors), memory -> quantize(tensors, memory));
        return open(file.matrices(), file::close);
    }

    private static Part open(Map<String, QuantizedMatrix> matrices, Runnable close) {
        return new Part() {
            @Override
            public @Nullable QuantizedMatrix matrix(String module) {
                return matrices.get(module);
            }

            @Override
            public void close() {
                close.run();
            }
        };
    }

    /// Which of the layers are kept in the format, in an order that does not depend on who asks.
    private SequencedMap<String, TensorEntry> chosen(Collection<String> modules) {
        SequencedMap<String, TensorEntry> chosen = new TreeMap<>();
        for (String module : modules) {
            TensorEntry entry = source.tensors().get(module + WEIGHT);
            if (entry != null && formats.of(module, columns(entry)).isPresent()) chosen.put(module, entry);
        }
        return chosen;
    }

    private static int columns(TensorEntry entry) {
        return Math.toIntExact(entry.shape().getLast());
    }

    private String key(SequencedMap<String, TensorEntry> tensors) {
        return QuantizedCache.key(model, formats.type(), String.join("\n", tensors.keySet()));
    }

    private SequencedMap<String, QuantizedMatrix> quantize(
            SequencedMap<String, TensorEntry> tensors, SegmentAllocator memory) {
        Map<String, QuantizedMatrix> made = new ConcurrentHashMap<>();
        List.copyOf(tensors.keySet()).parallelStream().forEach(module -> made.put(module,
                QuantizedMatrix.quantize(source, module + WEIGHT, formats.type(), memory)));
        return new TreeMap<>(made);
    }
}
