package nocturne.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import nocturne.io.DType;
import org.jspecify.annotations.Nullable;

/// The differentiable operations: each computes its result at once and, on a recording tape, leaves behind the step
/// that turns the result's gradient into its inputs' gradients.
///
/// A result requires a gradient where one of its inputs or a trained adapter does; nothing is kept or recorded
/// otherwise.
public final class Ops {
    private static final float EPS = 1e-6f;
    /// No place for brief results.
    private static final int KEPT = -1;

    private final Tape tape;
    private final Backend backend;
    private final TensorArena arena;
    private final int briefPlace;

    public Ops(Tape tape) {
        this(tape, KEPT);
    }

    private Ops(Tape tape, int briefPlace) {
        this.tape = tape;
        this.backend = tape.backend();
        this.arena = tape.arena();
        this.briefPlace = briefPlace;
    }

    /// The same operations for a result that a product uses at once and nobody else needs, which is cheap to compute:
    /// where a block is not to keep such results ([Tape.Keep#PRODUCTS]) it is computed again in the backward pass.
    /// For [#layerNormModulate], [#geluTanh] and [#take].
    ///
    /// @param place where it lies: results that are needed at the same time lie in different ones
    public Ops briefly(int place) {
        return tape.isRecording() && tape.brief() != null ? new Ops(tape, place) : this;
    }

    /// Memory for a result that may be brief.
    private Tensor briefOrKept(Shape shape) {
        BriefResults brief = tape.brief();
        return brief == null || briefPlace == KEPT ? arena.allocate(shape) : brief.at(briefPlace, shape);
    }

    /// Computes a result, and notes how it is had again if it is brief.
    private void compute(Tensor result, Runnable computation) {
        computation.run();
        if (briefPlace != KEPT) result.isBrief(computation);
    }

    /// Guards the operations whose backward reads an input that nobody would bring back.
    private static void requireKept(Tensor input, String operation) {
        if (input.isBrief()) throw new IllegalArgumentException(operation + " needs " + input + ", which is brief");
    }

    public Tape tape() {
        return tape;
    }

    /// `y = x W^T + bias` plus the adapters.
    ///
    /// @param x `[.., in]`
    /// @return `[.., out]`
    public Tensor linear(Tensor x, Linear layer) {
        return linears(List.of(step(x, layer)), List.of()).getFirst();
    }

    /// Layers on two independent inputs, side by side where they are small.
    ///
    /// @param x     `[.., in]`
    /// @param other another tensor than `x`
    /// @return the results of `layers` on `x`, then of `otherLayers` on `other`
    public List<Tensor> linears(Tensor x, List<Linear> layers, Tensor other, List<Linear> otherLayers) {
        if (x == other) throw new IllegalArgumentException("linears: both inputs are " + x);
        return linears(layers.stream().map(layer -> step(x, layer)).toList(),
                otherLayers.stream().map(layer -> step(other, layer)).toList());
    }

    private LinearStep step(Tensor x, Linear layer) {
        return new LinearStep(x, layer, backend, arena);
    }

    private List<Tensor> linears(List<LinearStep> first, List<LinearStep> second) {
        List<LinearStep> all = new ArrayList<>(first);
        all.addAll(second);
        try (TensorArena.Scope scope = arena.scope()) {
            all.forEach(step -> step.takeScratch(arena));
            sideBySide(first, second, () -> forward(first), () -> forward(second));
        }
        List<LinearStep> differentiated = all.stream().filter(LinearStep::needsGradient).toList();
        if (tape.isRecording() && !differentiated.isEmpty()) {
            differentiated.forEach(step -> step.result().requireGrad());
            tape.record(() -> linearsBackward(first, second));
        }
        return all.stream().map(LinearStep::result).toList();
    }

    /// @param steps on one input
    private void forward(List<LinearStep> steps) {
        backend.products().sharing(steps.getFirst().input(), () -> steps.forEach(LinearStep::forward));
    }

    private void linearsBackward(List<LinearStep> first, List<LinearStep> second) {
        List<LinearStep.Backward> firstWork = backward(first);
        List<LinearStep.Backward> secondWork = backward(second);
        Set<Tensor> inputs = Collections.newSetFromMap(new IdentityHashMap<>());
        firstWork.forEach(work -> inputs.add(work.step().input()));
        secondWork.forEach(work -> inputs.add(work.step().input()));
        inputs.forEach(Tensor::bringBack);
        try (TensorArena.Scope scope = arena.scope()) {
            firstWork.forEach(work -> work.takeScratch(arena));
            secondWork.forEach(work -> work.takeScratch(arena));
            sideBySide(first, second, () -> firstWork.forEach(LinearStep.Backward::run),
                    () -> secondWork.forEach(LinearStep.Backward::run));
        }
    }

    private List<LinearStep.Backward> backward(List<LinearStep> steps) {
        List<LinearStep.Backward> work = new ArrayList<>();
        for (LinearStep step : steps) {
            LinearStep.Backward one = step.prepareBackward(arena);
            if (one != null) work.add(one);
        }
        return work;
    }

    private void sideBySide(List<LinearStep> first, List<LinearStep> second, Runnable firstWork, Runnable secondWork) {
        if (second.isEmpty()) {
            firstWork.run();
            return;
        }
        long most = 0;
        for (LinearStep step : first) most = Math.max(most, step.multiplyAdds());
        for (LinearStep step : second) most = Math.max(most, step.multiplyAdds());
        backend.together(most, firstWork, secondWork);
    }

    /// Layer norm, then `(1 + scale) * x + shift` with two parts of the modulation; see [Norms#layerNormModulate].
    public Tensor layerNormModulate(Tensor x, Tensor modulation, int shiftPart, int scalePart, RowMap map) {
        requireKept(x, "layerNormModulate");
        Norms norms = backend.norms();
        Tensor statistics = arena.allocate(DType.F32, x.rows(), 2);
        Tensor y = briefOrKept(x.shape());
        compute(y, () -> norms.layerNormModulate(
                x, modulation, shiftPart, scalePart, map, EPS, y, statistics));
        if (tape.isRecording() && (x.requiresGrad() || modulation.requiresGrad())) {
            y.requireGrad();
            tape.record(() -> {
                Tensor dy = y.grad();
                if (dy == null) return;
                boolean accumulate = x.grad() != null;
                // A gradient nobody wants is still written by the kernel: into memory that is forgotten at once.
                Tensor wantedX = x.requiresGrad() ? x.gradientBuffer(arena) : null;
                Tensor wantedModulation = modulation.requiresGrad() ? zeroedGradient(modulation) : null;
                try (TensorArena.Scope scope = arena.scope()) {
                    norms.layerNormModulateBackward(dy, x, modulation, shiftPart, scalePart, map, statistics,
                            wantedX != null ? wantedX : arena.allocate(x.shape()), wantedX != null && accumulate,
                            wantedModulation != null ? wantedModulation : arena.allocate(modulation.shape()));
                }
            });
        }
        return y;
    }

    /// `x + gate * y` with one part of the modulation.
    public Tensor gatedResidual(Tensor x, Tensor y, Tensor modulation, int gatePart, RowMap map) {
        requireKept(y, "gatedResidual");
        Elementwise elementwise = backend.elementwise();
        Tensor out = arena.allocate(x.shape());
        elementwise.gatedResidual(x, y, modulation, gatePart, map, out);
        if (tape.isRecording() && (x.requiresGrad() || y.requiresGrad() || modulation.requiresGrad())) {
            out.requireGrad();
            tape.record(() -> {
                Tensor dOut = out.grad();
                if (dOut == null) return;
                Tensor wantedModulation = modulation.requiresGrad() ? zeroedGradient(modulation) : null;
                if (y.requiresGrad()) requireFirst(y, "gatedResidual");
                Tensor wantedY = y.requiresGrad() ? y.gradientBuffer(arena) : null;
                try (TensorArena.Scope scope = arena.scope()) {
                    elementwise.gatedResidualBackward(dOut, y, modulation, gatePart, map,
                            wantedY != null ? wantedY : arena.allocate(y.shape()),
                            wantedModulation != null ? wantedModulation : arena.allocate(modulation.shape()));
                }
                if (!x.requiresGrad()) return;
                Tensor dx = x.grad();
                // The residual's gradient is dOut itself: hand the buffer over where nothing came before it.
                if (dx != null) elementwise.addScaled(dOut, 1, dx);
                else if (x.hasGradientBuffer()) elementwise.copy(dOut, x.gradientBuffer(arena));
                else x.adoptGradient(dOut);
            });
        }
        return out;
    }

    public Tensor geluTanh(Tensor x) {
        requireKept(x, "geluTanh");
        Tensor y = briefOrKept(x.shape());
        compute(y, () -> backend.elementwise().geluTanh(x, y));
        if (tape.isRecording() && x.requiresGrad()) {
            y.requireGrad();
            tape.record(() -> {
                Tensor dy = y.grad();
                if (dy == null) return;
                requireFirst(x, "geluTanh");
                Tensor dx = x.hasGradientBuffer() ? x.gradientBuffer(arena) : dy;
                backend.elementwise().geluTanhBackward(dy, x, dx);
                if (dx == dy) x.adoptGradient(dy);
            });
        }
        return y;
    }

    /// SiLU of something that needs no gradient: the timestep embedding.
    public Tensor silu(Tensor x) {
        if (x.requiresGrad()) throw new IllegalArgumentException("silu has no backward pass");
        Tensor y = arena.allocate(x.shape());
        backend.elementwise().silu(x, y);
        return y;
    }

    /// `x / sqrt(mean(x^2) + 1e-6) * weight` over the innermost axis.
    public Tensor rmsNorm(Tensor x, Tensor weight) {
        requireKept(x, "rmsNorm");
        Tensor y = arena.allocate(x.shape());
        backend.norms().rmsNorm(x, weight, EPS, y);
        if (tape.isRecording() && x.requiresGrad()) {
            y.requireGrad();
            tape.record(() -> {
                Tensor dy = y.grad();
                if (dy == null) return;
                boolean accumulate = x.grad() != null;
                backend.norms().rmsNormBackward(dy, x, weight, EPS, x.gradientBuffer(arena), accumulate);
            });
        }
        return y;
    }

    /// Normalises and rotates the heads of two streams and joins them, the first stream's rows in front of the second's
    /// in each sample; see [Norms#headNormRotate].
    ///
    /// @return `[batch * (first rows + second rows), heads * headDim]`
    public Tensor joinRotated(Tensor first, Tensor firstWeight, Tensor second, Tensor secondWeight, Rotation rotation,
            int batch) {
        requireKept(first, "joinRotated");
        requireKept(second, "joinRotated");
        Norms norms = backend.norms();
        int offset = first.rows() / batch;
        Tensor joint = arena.allocate(first.rows() + second.rows(), first.columns());
        norms.headNormRotate(first, firstWeight, rotation.cos(), rotation.sin(), batch, 0, EPS, joint);
        norms.headNormRotate(second, secondWeight, rotation.cos(), rotation.sin(), batch, offset, EPS, joint);
        if (tape.isRecording() && (first.requiresGrad() || second.requiresGrad())) {
            joint.requireGrad();
            tape.record(() -> {
                Tensor dJoint = joint.grad();
                if (dJoint == null) return;
                if (first.requiresGrad()) {
                    requireFirst(first, "joinRotated");
                    norms.headNormRotateBackward(dJoint, first, firstWeight, rotation.cos(), rotation.sin(), batch, 0,
                            EPS, first.gradientBuffer(arena));
                }
                if (second.requiresGrad()) {
                    requireFirst(second, "joinRotated");
                    norms.headNormRotateBackward(dJoint, second, secondWeight, rotation.cos(), rotation.sin(), batch,
                            offset, EPS, second.gradientBuffer(arena));
                }
            });
        }
        return joint;
    }

    /// Joins two streams row-wise in each sample, without touching the numbers.
    public Tensor join(Tensor first, Tensor second, int batch) {
        Elementwise elementwise = backend.elementwise();
        int offset = first.rows() / batch;
        Tensor joint = arena.allocate(first.rows() + second.rows(), first.columns());
        elementwise.placeRows(first, batch, 0, joint);
        elementwise.placeRows(second, batch, offset, joint);
        if (tape.isRecording() && (first.requiresGrad() || second.requiresGrad())) {
            joint.requireGrad();
            tape.record(() -> {
                Tensor dJoint = joint.grad();
                if (dJoint == null) return;
                if (first.requiresGrad()) {
                    requireFirst(first, "join");
                    elementwise.takeRows(dJoint, batch, 0, first.gradientBuffer(arena));
                }
                if (second.requiresGrad()) {
                    requireFirst(second, "join");
                    elementwise.takeRows(dJoint, batch, offset, second.gradientBuffer(arena));
                }
            });
        }
        return joint;
    }

    /// The two parts of each sample of a joint sequence: the inverse of [#join].
    ///
    /// @param rows        of a sample that are the first part's
    /// @param firstPlace  as [#briefly] has it, and `secondPlace` another one
    /// @return both parts, `[batch * rows, D]` and the rest
    public List<Tensor> split(Tensor joint, int batch, int rows, int firstPlace, int secondPlace) {
        Elementwise elementwise = backend.elementwise();
        int others = joint.rows() / batch - rows;
        Tensor first = briefly(firstPlace).taken(joint, batch, 0, rows);
        Tensor second = briefly(secondPlace).taken(joint, batch, rows, others);
        if (tape.isRecording() && joint.requiresGrad()) {
            first.requireGrad();
            second.requireGrad();
            tape.record(() -> {
                Tensor dFirst = first.grad();
                Tensor dSecond = second.grad();
                if (dFirst == null && dSecond == null) return;
                requireFirst(joint, "split");
                boolean whole = dFirst != null && dSecond != null;
                Tensor dJoint = whole ? joint.gradientBuffer(arena) : zeroedGradient(joint);
                if (dFirst != null) elementwise.placeRows(dFirst, batch, 0, dJoint);
                if (dSecond != null) elementwise.placeRows(dSecond, batch, rows, dJoint);
            });
        }
        return List.of(first, second);
    }

    /// Some rows of each sample of a joint sequence. Rows nobody takes get gradient zero; where all are used, [#split]
    /// spares that.
    ///
    /// @return `[batch * rows, D]`
    public Tensor take(Tensor joint, int batch, int offset, int rows) {
        Elementwise elementwise = backend.elementwise();
        Tensor part = taken(joint, batch, offset, rows);
        if (tape.isRecording() && joint.requiresGrad()) {
            part.requireGrad();
            tape.record(() -> {
                Tensor dPart = part.grad();
                if (dPart == null) return;
                Tensor dJoint = joint.grad();
                if (dJoint == null) {
                    elementwise.placeRows(dPart, batch, offset, zeroedGradient(joint));
                    return;
                }
                // Others have written: these rows too, perhaps.
                try (TensorArena.Scope scope = arena.scope()) {
                    Tensor sum = arena.allocate(dPart.shape());
                    elementwise.takeRows(dJoint, batch, offset, sum);
                    elementwise.addScaled(dPart, 1, sum);
                    elementwise.placeRows(sum, batch, offset, dJoint);
                }
            });
        }
        return part;
    }

    private Tensor taken(Tensor joint, int batch, int offset, int rows) {
        requireKept(joint, "take");
        Tensor part = briefOrKept(Shape.of(batch * rows, joint.columns()));
        compute(part, () -> backend.elementwise().takeRows(joint, batch, offset, part));
        return part;
    }

    /// Attention; see [Attention#forward].
    public Tensor attention(Tensor q, Tensor k, Tensor v, @Nullable Tensor keyBias, Attention.Layout layout) {
        for (Tensor input : List.of(q, k, v)) requireKept(input, "attention");
        Tensor o = arena.allocate(q.shape());
        Tensor logSumExp = arena.allocate(DType.F32, layout.heads(), layout.rows());
        backend.attention().forward(q, k, v, keyBias, layout, o, logSumExp);
        if (tape.isRecording() && (q.requiresGrad() || k.requiresGrad() || v.requiresGrad())) {
            o.requireGrad();
            tape.record(() -> {
                Tensor dO = o.grad();
                if (dO == null) return;
                for (Tensor input : Arrays.asList(q, k, v)) requireFirst(input, "attention");
                backend.attention().backward(dO, q, k, v, keyBias, layout, o, logSumExp, q.gradientBuffer(arena),
                        k.gradientBuffer(arena), v.gradientBuffer(arena));
            });
        }
        return o;
    }

    /// [#loss] of squares.
    public double meanSquaredError(Tensor prediction, Tensor target, float[] sampleWeights, float gradientScale) {
        return loss(Loss.SQUARED, prediction, target, sampleWeights, gradientScale);
    }

    /// The loss that starts a backward pass; see [Optimisation#loss].
    public double loss(Loss kind, Tensor prediction, Tensor target, float[] sampleWeights, float gradientScale) {
        requireFirst(prediction, "loss");
        Tensor gradient = prediction.gradientBuffer(arena);
        return backend.optimisation().loss(kind, prediction, target, sampleWeights, gradientScale, gradient);
    }

    private Tensor zeroedGradient(Tensor tensor) {
        Tensor written = tensor.grad();
        if (written != null) return written;
        Tensor buffer = tensor.gradientBuffer(arena);
        backend.elementwise().fill(buffer, 0);
        return buffer;
    }

    /// Guards the operations whose backward overwrites: their input must feed nothing else that needs a gradient.
    private static void requireFirst(Tensor input, String operation) {
        if (input.grad() != null) {
            throw new IllegalStateException(operation + " would overwrite a gradient of " + input);
        }
    }
}
