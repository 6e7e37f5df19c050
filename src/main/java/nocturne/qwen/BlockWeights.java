package nocturne.qwen;

import java.util.List;
import java.util.stream.IntStream;
import nocturne.io.TensorSource;
import nocturne.quant.LayerFormats;
import nocturne.quant.QuantizedLayers;
import nocturne.quant.WeightCache;
import nocturne.tensor.Backend;
import nocturne.tensor.TensorArena;

/// Where the weights of a transformer's blocks come from, one block after the other.
interface BlockWeights {
    Block of(int block);

    /// What one block's weights are made from, as long as it is open.
    interface Block extends AutoCloseable {
        /// The block's weights, in an arena.
        Weights in(TensorArena arena);

        @Override
        default void close() {}
    }

    /// From files.
    ///
    /// @param tensors checked, under their own names
    /// @param count   of blocks
    static BlockWeights of(TensorSource tensors, Loading loading, int count, Backend backend) {
        List<List<String>> modules = IntStream.range(0, count).mapToObj(TransformerBlock::modules).toList();
        WeightCache cache = loading.cache();
        QuantizedLayers layers = cache == null
                ? QuantizedLayers.of(tensors, loading.formats())
                : QuantizedLayers.of(tensors, loading.formats(), cache, modules);
        return block -> {
            QuantizedLayers.Part part = layers.part(modules.get(block));
            return new Block() {
                @Override
                public Weights in(TensorArena arena) {
                    return Weights.of(tensors, part, backend, arena);
                }

                @Override
                public void close() {
                    part.close();
                }
            };
        };
    }

    /// Random ones; see [Weights#random].
    static BlockWeights random(long seed, LayerFormats formats, TensorArena numbers, Backend backend) {
        return block -> arena -> Weights.random(seed, formats, numbers, backend, arena);
    }

    /// Ones without numbers; see [Weights#empty].
    static BlockWeights empty(LayerFormats formats, Backend backend) {
        return block -> arena -> Weights.empty(formats, backend, arena);
    }
}
