package nocturne.qwen;

import nocturne.io.TensorSource;
import nocturne.quant.LayerFormats;
import nocturne.quant.QuantizedLayers;
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
    /// @param layers  those that are kept in a smaller format
    static BlockWeights of(TensorSource tensors, QuantizedLayers layers, Backend backend) {
        return block -> {
            QuantizedLayers.Part part = layers.part(TransformerBlock.modules(block));
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
