package nocturne.qwen;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.IntStream;
import nocturne.io.DType;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.Ops;
import nocturne.tensor.TabulatedWeight;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import nocturne.tensor.WeightStream;

/// What the frozen modulation layers of all blocks answer to the timesteps that are coming: a third of the model's
/// weights depend on nothing else, and need not stay on the device.
///
/// The answers lie in host memory in the type of the device's activations. Those that are missing are made by bringing
/// all the layers' weights to the device once, one block after the other; so whoever knows what is coming announces it,
/// many timesteps at a time. An answer does not depend on which others were made with it: always the same number of
/// rows are computed at once.
final class ModulationTables {
    /// Timesteps whose answers are kept; those that were used least recently go first. 1.1 GB for the released model in
    /// bf16.
    static final int MOST = 256;
    /// Rows of a product. As few as a batch may have, so that the same kernels compute them.
    private static final int ROWS = 32;

    private final Backend backend;
    private final WeightStream.Sequence walk;
    private final List<Block> blocks;
    private final int width;
    /// By the timestep's bits; the one that was used least recently comes first.
    private final SequencedMap<Integer, MemorySegment> answers = new LinkedHashMap<>(16, 0.75f, true);
    private final Arena memory = Arena.ofAuto();
    private int rooms;
    private MemorySegment gathered = MemorySegment.NULL;

    /// The modulation layers of one block: the weights that come and go, and what stands in their place in the block.
    record Block(List<Linear> layers, List<TabulatedWeight> weights) {
        static Block of(List<Linear> layers) {
            return new Block(layers, layers.stream().map(TabulatedWeight::new).toList());
        }

        /// The layers for the block.
        List<Linear> tabulated() {
            return weights.stream().map(weight -> new Linear(weight, null)).toList();
        }
    }

    /// The answers to the timesteps of one forward pass.
    interface Answers {
        /// Makes them those of a block's layers.
        void use(int block);
    }

    /// @param walk   whose part i holds the layers of block i
    /// @param blocks each with the picture's layer and the text's
    ModulationTables(Backend backend, WeightStream.Sequence walk, List<Block> blocks) {
        this.backend = backend;
        this.walk = walk;
        this.blocks = List.copyOf(blocks);
        width = blocks.getFirst().layers.getFirst().out();
    }

    /// The same layers, none of whose answers is known.
    ModulationTables forgetting() {
        return new ModulationTables(backend, walk, blocks);
    }

    /// Host memory of as many answers as are kept.
    long mostBytes(DType type) {
        return MOST * 2L * blocks.size() * rowBytes(type);
    }

    boolean knows(float[] timesteps) {
        for (float timestep : timesteps) if (!answers.containsKey(Float.floatToIntBits(timestep))) return false;
        return true;
    }

    /// Makes the answers that are missing, as far as there is room for them.
    ///
    /// @param embedding of the timesteps
    /// @param passes    for the work, all of it given back
    void announce(TimestepEmbedding embedding, TensorArena passes, float[] timesteps) {
        Set<Integer> wanted = new LinkedHashSet<>();
        for (float timestep : timesteps) if (wanted.size() < MOST) wanted.add(Float.floatToIntBits(timestep));
        // Looking at an answer keeps it from being the first to go.
        List<Integer> missing = wanted.stream().filter(timestep -> answers.get(timestep) == null).toList();
        if (missing.isEmpty()) return;
        try (TensorArena.Scope scope = passes.scope()) {
            Ops ops = new Ops(Tape.inference(backend, passes));
            List<Tensor> inputs = new ArrayList<>();
            for (int from = 0; from < missing.size(); from += ROWS) {
                float[] levels = new float[ROWS];
                for (int i = from; i < Math.min(from + ROWS, missing.size()); i++) {
                    levels[i - from] = Float.intBitsToFloat(missing.get(i));
                }
                inputs.add(ops.silu(embedding.forward(ops, levels)));                             // [32, D]
            }
            DType type = inputs.getFirst().type();
            List<MemorySegment> rows = missing.stream().map(timestep -> room(type)).toList();
            for (int block = 0; block < blocks.size(); block++) answer(block, inputs, rows, ops, passes);
            for (int i = 0; i < rows.size(); i++) answers.put(missing.get(i), rows.get(i));
        }
    }

    /// Room for a timestep's answers: that of another one, where there are enough.
    private MemorySegment room(DType type) {
        if (rooms == MOST) return answers.pollFirstEntry().getValue();
        rooms++;
        return memory.allocate(2L * blocks.size() * rowBytes(type), 64);
    }

    private long rowBytes(DType type) {
        return (long) width * type.bytes();
    }

    private void answer(int block, List<Tensor> inputs, List<MemorySegment> rows, Ops ops, TensorArena passes) {
        walk.need(block);
        for (int stream = 0; stream < 2; stream++) {
            Linear layer = blocks.get(block).layers.get(stream);
            for (int chunk = 0; chunk < inputs.size(); chunk++) {
                try (TensorArena.Scope scope = passes.scope(); Arena host = Arena.ofConfined()) {
                    Tensor answer = ops.linear(inputs.get(chunk), layer);                         // [32, 6 D]
                    MemorySegment bytes = backend.inHostMemory(answer, host);
                    long rowBytes = rowBytes(answer.type());
                    int count = Math.min(ROWS, rows.size() - chunk * ROWS);
                    for (int i = 0; i < count; i++) {
                        MemorySegment.copy(bytes, i * rowBytes, rows.get(chunk * ROWS + i),
                                (2L * block + stream) * rowBytes, rowBytes);
                    }
                }
            }
        }
    }

    /// Brings the answers for a forward pass to the device.
    ///
    /// @param embedding of the timesteps
    /// @param passes    where they stay as long as the pass needs them
    /// @param picture   timesteps of the rows that the picture's layers are asked about, in order
    /// @param text      likewise of the text's
    Answers answers(TimestepEmbedding embedding, TensorArena passes, float[] picture, float[] text) {
        float[] both = Arrays.copyOf(picture, picture.length + text.length);
        System.arraycopy(text, 0, both, picture.length, text.length);
        announce(embedding, passes, both);
        Tensor all = passes.allocate(blocks.size() * both.length, width);
        long rowBytes = rowBytes(all.type());
        MemorySegment rows = gathered(all.elements() * all.type().bytes());
        for (int block = 0; block < blocks.size(); block++) {
            for (int row = 0; row < both.length; row++) {
                MemorySegment from = answers.get(Float.floatToIntBits(both[row]));
                if (from == null) throw new IllegalStateException("no answer to " + both[row]);
                int stream = row < picture.length ? 0 : 1;
                MemorySegment.copy(from, (2L * block + stream) * rowBytes, rows,
                        ((long) block * both.length + row) * rowBytes, rowBytes);
            }
        }
        backend.fromHostMemory(rows, all);
        List<Tensor[]> parts = IntStream.range(0, blocks.size()).mapToObj(block -> new Tensor[] {
                all.rowRange(block * both.length, picture.length),
                all.rowRange(block * both.length + picture.length, text.length)}).toList();
        return block -> {
            for (int stream = 0; stream < 2; stream++) {
                blocks.get(block).weights.get(stream).answer(parts.get(block)[stream]);
            }
        };
    }

    private MemorySegment gathered(long bytes) {
        if (gathered.byteSize() < bytes) gathered = memory.allocate(bytes, 64);
        return gathered.asSlice(0, bytes);
    }
}
