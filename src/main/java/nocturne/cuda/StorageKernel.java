package nocturne.cuda;

import nocturne.io.DType;
import nocturne.tensor.Tensor;

/// A kernel that exists for each storage type of activations, as `name_f32` and `name_bf16`.
///
/// Names are put together once, so that a launch makes no string.
record StorageKernel(String f32, String bf16) {
    static StorageKernel named(String name) {
        return new StorageKernel(name + "_f32", name + "_bf16");
    }

    /// The kernel for tensors of this type.
    String on(DType type) {
        if (type == DType.F32) return f32;
        if (type == DType.BF16) return bf16;
        throw new IllegalArgumentException("no kernel like " + f32 + " for " + type);
    }

    String on(Tensor tensor) {
        return on(tensor.type());
    }

    /// The kernel for tensors that must all be of one type.
    String on(Tensor first, Tensor second) {
        requireSame(first, second);
        return on(first);
    }

    String on(Tensor first, Tensor second, Tensor third) {
        requireSame(first, third);
        return on(first, second);
    }

    String on(Tensor first, Tensor second, Tensor third, Tensor fourth) {
        requireSame(first, fourth);
        return on(first, second, third);
    }

    private void requireSame(Tensor first, Tensor other) {
        if (first.type() != other.type()) {
            throw new IllegalArgumentException("%s: %s beside %s".formatted(f32, other, first));
        }
    }
}
