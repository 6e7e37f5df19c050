package nocturne.tensor;

/// A frozen matrix `[out, in]` in the form in which a device keeps it: the numbers themselves, which is a [Tensor], or
/// codes and scales that only the device reads; see [Backend#keep].
public interface Weight {
    Shape shape();

    /// Outputs of the layer.
    default int rows() {
        return shape().rows();
    }

    /// Inputs of the layer.
    default int columns() {
        return shape().columns();
    }

    /// How many numbers it stands for.
    default long elements() {
        return shape().elements();
    }
}
