package nocturne.qwen;

import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;

/// Rotary angles of every token for rotating the two halves of a head against each other.
///
/// @param cos `[tokens, headDim / 2]`
/// @param sin `[tokens, headDim / 2]`
record HalfRotation(Tensor cos, Tensor sin) {
    /// @param angles `[tokens, half]`, float32 as in the reference
    static HalfRotation of(Tape tape, float[] angles, int half) {
        float[] cos = new float[angles.length];
        float[] sin = new float[angles.length];
        for (int i = 0; i < angles.length; i++) {
            cos[i] = (float) StrictMath.cos(angles[i]);
            sin[i] = (float) StrictMath.sin(angles[i]);
        }
        int tokens = angles.length / half;
        return new HalfRotation(tape.backend().floats(tape.arena(), cos, tokens, half),
                tape.backend().floats(tape.arena(), sin, tokens, half));
    }

    /// `theta^(-2i / dims)` for `i < dims / 2`, float32.
    static float[] frequencies(double theta, int dims) {
        float[] frequencies = new float[dims / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = (float) (1 / StrictMath.pow(theta, 2.0 * i / dims));
        }
        return frequencies;
    }

    /// Rotates every head of `x` in place.
    Tensor turn(Tape tape, Tensor x) {
        tape.backend().elementwise().rotateHalves(x, cos, sin, x);
        return x;
    }
}
