package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import nocturne.io.DType;
import nocturne.quant.Rounding;
import nocturne.tensor.Shape;
import nocturne.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// A linear layer's products in 8 bits, from the codes in which its weight is kept.
///
/// Weights of 8 bits are multiplied as they are, those of fewer bits after their numbers were brought to int8 with a
/// scale for each row, which moves them by less than 1 %. What is multiplied with them is quantised to the weight's
/// type of code, with a scale for each row.
final class CodedLinear implements AutoCloseable {
    /// Of what lies behind something else in scratch memory.
    private static final long ALIGNMENT = 64;

    /// Codes `[rows, columns]` with a scale for each row.
    private record Codes(Tensor codes, Tensor scales) {}

    private final Device device;
    private final CudaCodeProducts products;
    private final Arguments arguments = new Arguments();
    /// Room for the numbers of a weight of fewer bits.
    private final Scratch numbers;
    private final Scratch activations;
    private final Scratch weights;
    private final Scratch transposed;
    /// What nobody writes to until [#sharing] returns.
    private @Nullable Tensor shared;
    /// What the shared tensor was quantised to, as long as `activations` holds it.
    private @Nullable Codes ofShared;

    /// @param numbers for a weight that is decoded, here or by another operation
    CodedLinear(Device device, Scratch numbers) {
        this.device = device;
        this.numbers = numbers;
        products = new CudaCodeProducts(device);
        activations = new Scratch(device);
        weights = new Scratch(device);
        transposed = new Scratch(device);
    }

    /// Whether the device multiplies such codes.
    boolean takes(CodedWeight weight) {
        return weight.codes().type() != DType.F8_E4M3 || device.multipliesE4m3();
    }

    /// `y = x W^T + bias`. Sums may be fast ones: what they lose shows in the trial that a layer has to pass.
    void forward(Tensor x, CodedWeight w, @Nullable Tensor bias, Tensor y) {
        Codes weight = codesOf(w);
        Codes input = input(x, weight.codes.type());
        products.product(input.codes, input.scales, weight.codes, weight.scales, bias, 0, y, true);
    }

    /// See [nocturne.tensor.Products#sharing]: queries, keys and values quantise one `x` once.
    void sharing(Tensor x, Runnable work) {
        shared = x;
        ofShared = null;
        try {
            work.run();
        } finally {
            shared = null;
            ofShared = null;
        }
    }

    private Codes input(Tensor x, DType type) {
        Codes before = ofShared;
        if (x == shared && before != null && before.codes.type() == type) return before;
        Codes made = quantise(x, null, type, activations);
        ofShared = x == shared ? made : null;
        return made;
    }

    /// `dx = dy W + beta dx`: the weight's scales go into `dy` before it is quantised, so that the same codes serve,
    /// turned round. Sums are whole: gradients are small, and many add up.
    void backward(Tensor dy, CodedWeight w, float beta, Tensor dx) {
        Codes weight = codesOf(w);
        DType type = weight.codes.type();
        Tensor turned = new Tensor(Shape.of(w.columns(), w.rows()), type, transposed.bytes(w.elements()));
        products.transpose(weight.codes, turned);
        Codes gradient = quantise(dy, weight.scales, type, activations);
        ofShared = null;
        products.product(gradient.codes, gradient.scales, turned, null, null, beta, dx, false);
    }

    /// Of a weight of fewer bits until the next call only.
    private Codes codesOf(CodedWeight weight) {
        if (weight.codes().type() != DType.U8) {
            return new Codes(weight.codes().reshape(weight.rows(), weight.columns()), weight.scales());
        }
        DType exact = weight.rounding() == Rounding.BF16 ? DType.BF16 : DType.F32;
        Tensor decoded = new Tensor(weight.shape(), exact, numbers.bytes(exact.bytes() * weight.elements()));
        weight.decode(device, arguments, decoded);
        return quantise(decoded, null, DType.I8, weights);
    }

    private Codes quantise(Tensor x, @Nullable Tensor columnScale, DType type, Scratch memory) {
        long bytes = Math.ceilDiv(x.elements(), ALIGNMENT) * ALIGNMENT;
        long scaleBytes = (long) Float.BYTES * x.rows();
        MemorySegment room = memory.bytes(bytes + scaleBytes);
        Codes made = new Codes(new Tensor(Shape.of(x.rows(), x.columns()), type, room.asSlice(0, x.elements())),
                new Tensor(Shape.of(x.rows()), DType.F32, room.asSlice(bytes, scaleBytes)));
        products.quantiseRows(x, columnScale, made.codes, made.scales);
        return made;
    }

    @Override
    public void close() {
        products.close();
        activations.close();
        weights.close();
        transposed.close();
    }
}
