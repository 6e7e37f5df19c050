package nocturne.dataset;

import java.util.List;
import nocturne.image.Background;
import nocturne.io.ContentHash;

/// One thing to learn from: a picture at one size and one way round, what it shows in words, and its control pictures.
///
/// @param picture            the target
/// @param resolution         the entry of the recipe's list that led to this sample
/// @param placement          bucket and crop
/// @param flip               applied to target and controls alike, after cropping
/// @param caption            the whole prompt, trigger included
/// @param captionDropoutRate share of the visits that use the empty prompt instead
/// @param controls           control pictures in the order of their folders, all at their own size
/// @param repeats            visits per epoch, at least 1
/// @param regularisation     belongs to a set that shows what is not to be learned
/// @param lossMultiplier     weight of its loss
public record Sample(
        TrainingPicture picture,
        int resolution,
        Placement placement,
        Flip flip,
        String caption,
        double captionDropoutRate,
        List<TrainingPicture> controls,
        int repeats,
        boolean regularisation,
        double lossMultiplier) {
    public Sample {
        controls = List.copyOf(controls);
        if (repeats < 1) throw new IllegalArgumentException("repeats " + repeats);
    }

    /// The same with other words.
    public Sample withCaption(String text) {
        return new Sample(picture, resolution, placement, flip, text, captionDropoutRate, controls, repeats,
                regularisation, lossMultiplier);
    }

    /// Bucket width in pixels.
    public int width() {
        return placement.width();
    }

    /// Bucket height in pixels.
    public int height() {
        return placement.height();
    }

    /// Hash of everything that decides the target's pixels: file, crop, flip and background.
    public String pixelsHash() {
        return hashOf(picture, flip)
                .add(placement.scaledWidth()).add(placement.scaledHeight())
                .add(placement.left()).add(placement.top())
                .add(placement.width()).add(placement.height())
                .hex();
    }

    /// Hash of everything that decides the pixels of a control picture, before it is brought to the model's size.
    public String controlHash(int index) {
        return hashOf(controls.get(index), flip).hex();
    }

    /// Content-based identity: equal for samples that teach the same, whatever their files are called.
    public String id() {
        ContentHash hash = new ContentHash().add("sample").add(pixelsHash()).add(caption);
        for (int i = 0; i < controls.size(); i++) hash.add(controlHash(i));
        return hash.hex();
    }

    private static ContentHash hashOf(TrainingPicture picture, Flip flip) {
        Background ground = picture.background();
        return new ContentHash().add("pixels").add(picture.sha256()).add(flip.name())
                .add(ground.red()).add(ground.green()).add(ground.blue());
    }
}
