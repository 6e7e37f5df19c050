package nocturne.qwen;

import nocturne.tensor.Linear;
import nocturne.tensor.Ops;
import nocturne.tensor.Tensor;

/// `temb = linear_2(silu(linear_1(sinusoid(t))))`.
record TimestepEmbedding(Linear linear1, Linear linear2) {
    private static final int SINUSOID = 256;

    static TimestepEmbedding load(Weights weights, int width) {
        String module = "time_text_embed.timestep_embedder.";
        return new TimestepEmbedding(
                weights.linear(module + "linear_1", SINUSOID, width), weights.linear(module + "linear_2", width, width));
    }

    /// @param timesteps noise levels in 0..1
    /// @return `[timesteps, D]`
    Tensor forward(Ops ops, float[] timesteps) {
        Tensor vector = ops.tape().backend().tensor(ops.tape().arena(), sinusoid(timesteps), timesteps.length, SINUSOID);
        return ops.linear(ops.silu(ops.linear(vector, linear1)), linear2);
    }

    /// Cosines, then sines, of `(t * 10000^(-i/128)) * 1000`.
    ///
    /// The order of the float32 operations is the reference's (diffusers' `get_timestep_embedding`); it decides the
    /// last digits of the largest angles.
    static float[] sinusoid(float[] timesteps) {
        int half = SINUSOID / 2;
        float[] vectors = new float[timesteps.length * SINUSOID];
        for (int row = 0; row < timesteps.length; row++) {
            for (int i = 0; i < half; i++) {
                float exponent = (float) -Math.log(10000) * i / half;
                float frequency = (float) StrictMath.exp(exponent);
                float angle = timesteps[row] * frequency * 1000f;
                vectors[row * SINUSOID + i] = (float) StrictMath.cos(angle);
                vectors[row * SINUSOID + half + i] = (float) StrictMath.sin(angle);
            }
        }
        return vectors;
    }
}
