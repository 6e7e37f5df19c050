package nocturne.dataset;

import nocturne.image.Picture;
import nocturne.image.PictureReader;
import nocturne.problem.UserMistake;

/// Loads the pixels of samples: decoded, scaled, cropped, flipped.
public final class SamplePictures {
    private final PictureReader reader;
    private final Resampler resampler;

    public SamplePictures(PictureReader reader, Resampler resampler) {
        this.reader = reader;
        this.resampler = resampler;
    }

    /// The target, at its bucket's size.
    ///
    /// @throws UserMistake if the file has vanished or changed its size since it was scanned
    public Picture target(Sample sample) {
        Picture decoded = decode(sample.picture());
        Placement placement = sample.placement();
        boolean sameSize = decoded.width() == placement.scaledWidth() && decoded.height() == placement.scaledHeight();
        Picture scaled = sameSize
                ? decoded
                : resampler.resize(decoded, placement.scaledWidth(), placement.scaledHeight());
        return sample.flip().orientation().apply(crop(scaled, placement));
    }

    /// A control picture at its own size, flipped like the target; the model decides how it is scaled.
    public Picture control(Sample sample, int index) {
        return sample.flip().orientation().apply(decode(sample.controls().get(index)));
    }

    private Picture decode(TrainingPicture picture) {
        Picture decoded = reader.read(picture.file(), picture.background());
        if (decoded.width() != picture.width() || decoded.height() != picture.height()) {
            throw new UserMistake(Dataset.INVALID, picture.file().toString(), "changed while it was in use: was "
                    + "%d x %d, is %d x %d. Leave the dataset alone while it trains, and start again."
                            .formatted(picture.width(), picture.height(), decoded.width(), decoded.height()));
        }
        return decoded;
    }

    static Picture crop(Picture scaled, Placement placement) {
        if (scaled.width() == placement.width() && scaled.height() == placement.height()) return scaled;
        byte[] rgb = new byte[3 * placement.width() * placement.height()];
        for (int y = 0; y < placement.height(); y++) {
            int from = 3 * ((y + placement.top()) * scaled.width() + placement.left());
            System.arraycopy(scaled.rgb(), from, rgb, 3 * y * placement.width(), 3 * placement.width());
        }
        return new Picture(placement.width(), placement.height(), rgb);
    }
}
