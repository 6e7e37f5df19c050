package nocturne.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/// Remembers what a forward pass did so that it can be differentiated backwards.
///
/// A tape that does not record computes the same values and keeps nothing. Results live in the tape's arena until
/// the caller closes the scope around the pass.
public final class Tape {
    /// What a block keeps between its forward and its backward pass.
    public enum Keep {
        /// Every intermediate result: fastest.
        ALL,
        /// Results of products and of attention; what lies between is computed again when a gradient asks for it; see
        /// [Ops#briefly]. About half the memory, for a few per cent of the time.
        PRODUCTS,
        /// Only its inputs; the backward pass runs the block again.
        INPUTS
    }

    private final Backend backend;
    private final TensorArena arena;
    private final boolean recording;
    /// Where brief results lie; null where all are kept.
    private final @Nullable BriefResults brief;
    /// The same for the blocks on this tape.
    private final BriefResults briefOfBlocks;
    private final List<Runnable> backwardSteps = new ArrayList<>();

    private Tape(Backend backend, TensorArena arena, boolean recording, @Nullable BriefResults brief) {
        this.backend = backend;
        this.arena = arena;
        this.recording = recording;
        this.brief = brief;
        briefOfBlocks = new BriefResults(arena);
    }

    public static Tape recording(Backend backend, TensorArena arena) {
        return new Tape(backend, arena, true, null);
    }

    public static Tape inference(Backend backend, TensorArena arena) {
        return new Tape(backend, arena, false, null);
    }

    @Nullable BriefResults brief() {
        return brief;
    }

    public Backend backend() {
        return backend;
    }

    public TensorArena arena() {
        return arena;
    }

    public boolean isRecording() {
        return recording;
    }

    /// Adds the backward step of an operation whose results need gradients.
    void record(Runnable backwardStep) {
        backwardSteps.add(backwardStep);
    }

    /// Adds something to do before the backward pass of all that was recorded so far.
    public void beforeBackward(Runnable preparation) {
        if (recording) record(preparation);
    }

    /// Runs the recorded steps last to first; a step whose result received no gradient does nothing.
    public void backward() {
        for (int i = backwardSteps.size() - 1; i >= 0; i--) backwardSteps.get(i).run();
        backwardSteps.clear();
    }

    /// Runs a residual block under a policy of what to keep.
    ///
    /// The block's outputs must be its inputs plus something, in the same order and shapes (an output may be missing
    /// at the end, then nothing flows into that input but through the others). That lets each gradient buffer
    /// serve input and output in turn, and everything the block's backward pass needs is freed before the next
    /// block's begins.
    ///
    /// @param block called with an [Ops] and the inputs; a second time in the backward pass with [Keep#INPUTS], when it
    ///     must compute the same
    public List<Tensor> residualBlock(Keep keep, List<Tensor> inputs,
            BiFunction<Ops, List<Tensor>, List<Tensor>> block) {
        if (!recording) return blockWithoutTrace(inputs, block);
        if (keep != Keep.INPUTS) {
            Tape inner = new Tape(backend, arena, true, keep == Keep.PRODUCTS ? briefOfBlocks : null);
            List<Tensor> outputs = block.apply(new Ops(inner), inputs);
            record(() -> {
                giveInputsAHome(inputs, outputs);
                try (TensorArena.Scope scope = arena.scope()) {
                    backward(inner, inputs, outputs);
                }
            });
            return outputs;
        }
        List<Tensor> outputs = blockWithoutTrace(inputs, block);
        outputs.forEach(Tensor::requireGrad);
        record(() -> {
            giveInputsAHome(inputs, outputs);
            try (TensorArena.Scope scope = arena.scope()) {
                Tape inner = recording(backend, arena);
                List<Tensor> again = block.apply(new Ops(inner), inputs);
                for (int i = 0; i < again.size(); i++) {
                    Tensor gradient = outputs.get(i).grad();
                    if (gradient != null) again.get(i).adoptGradient(gradient);
                }
                backward(inner, inputs, outputs);
            }
        });
        return outputs;
    }

    /// Runs a block's steps. An input's gradient that was begun in the block's own memory, because something read the
    /// input after its output was made, moves into the output's buffer, which is free by then and outlives the block.
    private void backward(Tape inner, List<Tensor> inputs, List<Tensor> outputs) {
        boolean[] homeless = new boolean[inputs.size()];
        for (int i = 0; i < homeless.length; i++) homeless[i] = !inputs.get(i).hasGradientBuffer();
        inner.backward();
        for (int i = 0; i < homeless.length; i++) {
            Tensor gradient = inputs.get(i).grad();
            Tensor home = i < outputs.size() ? outputs.get(i).grad() : null;
            if (!homeless[i] || gradient == null || home == null || gradient == home) continue;
            backend.elementwise().copy(gradient, home);
            inputs.get(i).adoptGradient(home);
        }
    }

    /// An input whose own output brings no gradient buffer along gets one that outlives the block's scope.
    private void giveInputsAHome(List<Tensor> inputs, List<Tensor> outputs) {
        for (int i = 0; i < inputs.size(); i++) {
            boolean handedDown = i < outputs.size() && outputs.get(i).grad() != null;
            Tensor input = inputs.get(i);
            if (input.requiresGrad() && !handedDown && input.grad() == null) {
                input.attachGradient(arena.allocate(input.shape()));
            }
        }
    }

    /// Runs the block in a scope of its own and keeps only its results.
    private List<Tensor> blockWithoutTrace(
            List<Tensor> inputs, BiFunction<Ops, List<Tensor>, List<Tensor>> block) {
        List<Tensor> outputs = new ArrayList<>();
        for (Tensor input : inputs) outputs.add(arena.allocate(input.shape()));
        try (TensorArena.Scope scope = arena.scope()) {
            List<Tensor> results = block.apply(new Ops(inference(backend, arena)), inputs);
            for (int i = 0; i < results.size(); i++) backend.elementwise().copy(results.get(i), outputs.get(i));
            while (outputs.size() > results.size()) outputs.removeLast();
        }
        return outputs;
    }
}
