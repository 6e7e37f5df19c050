package nocturne.sample;

import nocturne.image.Picture;
import nocturne.image.Resample;
import nocturne.qwen.Grid;
import nocturne.qwen.Latents;
import nocturne.qwen.PictureSize;
import nocturne.qwen.Vae;
import nocturne.sample.Conditions.Control;
import nocturne.tensor.Philox;

/// From a request and its encoded conditions to the picture: noise, loop, autoencoder.
public final class Painter {
    private final Sampler sampler;
    private final Vae vae;

    public Painter(Sampler sampler, Vae vae) {
        this.sampler = sampler;
        this.vae = vae;
    }

    /// @param conditions of the request, encoded by the caller
    public Picture paint(SampleRequest request, Conditions conditions, Sampler.Progress progress) {
        int height = request.height() / vae.config().scale();
        int width = request.width() / vae.config().scale();
        float[] packed = sampler.sample(noise(request.seed(), vae.config().latentDim(), height, width),
                Grid.ofPixels(request.width(), request.height()), request.steps(), request.guidance(), conditions,
                progress);
        return vae.decodePicture(Latents.unpack(packed, vae.config().latentDim(), height, width), height, width);
    }

    /// The starting noise of a picture, packed: a function of seed and size alone.
    ///
    /// @param height in latents
    /// @param width  in latents
    /// @return `[height / 2 * width / 2, 4 * channels]`
    public static float[] noise(long seed, int channels, int height, int width) {
        float[] noise = new float[channels * height * width];
        Philox.stream(seed, "sample noise").fillNormal(noise, 0);
        return Latents.pack(noise, channels, height, width);
    }

    /// A control picture for the loop, at the size the transformer is to see it in, in its own proportions.
    ///
    /// Source: the VAE copy of control pictures in diffusers' `QwenImageEditPlusPipeline`.
    ///
    /// @param picture as the user gave it
    /// @param area    pixels, about; [PictureSize#VAE_AREA] in the released pipelines
    public static Control control(Picture picture, long area, Vae vae) {
        PictureSize size = new PictureSize(picture.width(), picture.height()).ofArea(area);
        return control(Resample.pillow(picture, size.width(), size.height(), Resample.Filter.LANCZOS,
                Resample.Order.HORIZONTAL_FIRST), vae);
    }

    /// A control picture for the loop: its most probable latents, packed.
    ///
    /// @param picture already at the size the transformer is to see it in; sides are multiples of 32
    public static Control control(Picture picture, Vae vae) {
        int scale = vae.config().scale();
        float[] latents = vae.encode(picture).mode();
        return new Control(Grid.ofPixels(picture.width(), picture.height()), Latents.pack(latents,
                vae.config().latentDim(), picture.height() / scale, picture.width() / scale));
    }
}
