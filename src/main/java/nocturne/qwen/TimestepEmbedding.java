package nocturne.qwen;

import nocturne.tensor.Adapters;
import nocturne.tensor.Linear;
import nocturne.tensor.Ops;
import nocturne.tensor.Tensor;

/// `temb = linear_2(silu(linear_1(sinusoid(t))))`.
record TimestepEmbedding(Linear linear1, Linear linear2) {
    static final String LINEAR_1 = "time_text_embed.timestep_embedder.linear_1";
    static final String LINEAR_2 = "time_text_embed.timestep_embedder.linear_2";
    private static final int SINUSOID = 256;

    static TimestepEmbedding load(Weights weights, int width) {
        return new TimestepEmbedding(weights.linear(LINEAR_1, SINUSOID, width), weights.linear(LINEAR_2, width, width));
    }

    /// With adapters beside the layers.
    TimestepEmbedding with(Adapters adapters) {
        return new TimestepEmbedding(linear1.with(adapters.on(LINEAR_1)), linear2.with(adapters.on(LINEAR_2)));
    }

    /// @param timesteps noise levels in 0..1
    /// @return `[timesteps, D]`
    Tensor forward(Ops ops, float[] timesteps) {
        Tensor vector = ops.tape().backend()
                .tensor(ops.tape().arena(), sinusoid(timesteps), timesteps.length, SINUSOID);
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
                float frequency = exp(exponent);
                float angle = timesteps[row] * frequency * 1000f;
                vectors[row * SINUSOID + i] = (float) StrictMath.cos(angle);
                vectors[row * SINUSOID + half + i] = (float) StrictMath.sin(angle);
            }
        }
        return vectors;
    }

    /// `e^x` to one unit in the last place, by the float32 algorithm the reference runs on (SLEEF's `expf`: reduction
    /// by a two-part ln 2, then a polynomial of degree 7). A correctly rounded result is not the same: some frequencies
    /// would differ in the last bit, and a bit there is 3e-5 in the sinusoid.
    private static float exp(float x) {
        float n = (float) StrictMath.rint(x * 1.442695040888963407359924681f);
        float r = Math.fma(n, -1.428606765330187045e-06f, Math.fma(n, -0.693145751953125f, x));
        float p = 0.000198527617612853646278381f;
        p = Math.fma(p, r, 0.00139304355252534151077271f);
        p = Math.fma(p, r, 0.00833336077630519866943359f);
        p = Math.fma(p, r, 0.0416664853692054748535156f);
        p = Math.fma(p, r, 0.166666671633720397949219f);
        p = Math.fma(p, r, 0.5f);
        return Math.scalb(1 + Math.fma(r * r, p, r), (int) n);
    }
}
