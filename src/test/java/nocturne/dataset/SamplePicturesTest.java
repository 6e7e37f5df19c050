package nocturne.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import nocturne.image.Background;
import nocturne.image.Picture;
import nocturne.image.PictureFiles;
import nocturne.image.PictureReader;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SamplePicturesTest {
    @TempDir
    Path folder;

    private final List<String> requests = new ArrayList<>();

    /// Takes the nearest pixel, which is enough to see where things went.
    private final Resampler nearest = (picture, width, height) -> {
        requests.add("%d x %d to %d x %d".formatted(picture.width(), picture.height(), width, height));
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++) {
            int x = i % width * picture.width() / width;
            int y = i / width * picture.height() / height;
            for (int c = 0; c < 3; c++) rgb[3 * i + c] = (byte) picture.at(x, y, c);
        }
        return new Picture(width, height, rgb);
    };

    private final SamplePictures pictures = new SamplePictures(PictureReader.standard(), nearest);

    @Test
    void theMiddleOfTheScaledPictureIsTaken() {
        // 120 x 100 at 64 x 64: of the sizes near the ideal 70 x 58, the square crops least.
        Sample sample = sample(PictureFiles.png(120, 100), false).getFirst();
        assertThat(sample.placement()).isEqualTo(new Placement(77, 64, 6, 0, 64, 64));
        Picture target = pictures.target(sample);
        assertThat(requests).containsExactly("120 x 100 to 77 x 64");
        assertThat(target.width()).isEqualTo(64);
        // The border between red and blue stays in the middle, give or take the odd column.
        assertThat(target.at(31, 0, 0)).isEqualTo(255);
        assertThat(target.at(33, 0, 2)).isEqualTo(255);
    }

    @Test
    void croppingTakesTheRowsAndColumnsThePlacementNames() {
        byte[] rgb = new byte[3 * 5 * 4];
        for (int i = 0; i < 20; i++) rgb[3 * i] = (byte) i;
        Picture cropped = SamplePictures.crop(new Picture(5, 4, rgb), new Placement(5, 4, 2, 1, 2, 3));
        assertThat(List.of(cropped.at(0, 0, 0), cropped.at(1, 0, 0), cropped.at(0, 2, 0), cropped.at(1, 2, 0)))
                .containsExactly(7, 8, 17, 18);
    }

    @Test
    void aPictureOfTheRightSizeIsNotResampled() {
        Sample sample = sample(PictureFiles.png(64, 64), false).getFirst();
        assertThat(pictures.target(sample).rgb())
                .isEqualTo(PictureReader.standard().read(sample.picture().file(), Background.WHITE).rgb());
        assertThat(requests).isEmpty();
    }

    @Test
    void flipsMirrorTargetAndControlAlike() {
        List<Sample> samples = sample(PictureFiles.png(64, 64), true);
        Picture plain = pictures.target(samples.get(0));
        Picture mirrored = pictures.target(samples.get(1));
        Picture control = pictures.control(samples.get(1), 0);
        for (int x = 0; x < 64; x++) assertThat(mirrored.at(x, 3, 0)).isEqualTo(plain.at(63 - x, 3, 0));
        // Red stands on the left of the file, blue on the right.
        assertThat(control.at(0, 0, 2)).isEqualTo(255);
        assertThat(control.at(control.width() - 1, 0, 0)).isEqualTo(255);
    }

    @Test
    void aFileThatChangesUnderOurHandsIsNoticed() {
        Sample sample = sample(PictureFiles.png(64, 64), false).getFirst();
        PictureFiles.write(sample.picture().file(), PictureFiles.png(65, 64));
        assertThatThrownBy(() -> pictures.target(sample)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("was 64 x 64, is 65 x 64");
    }

    private List<Sample> sample(byte[] png, boolean flipX) {
        PictureFiles.write(folder.resolve("set/a.png"), png);
        PictureFiles.write(folder.resolve("control/a.png"), PictureFiles.png(50, 40));
        DatasetSpec spec = new DatasetSpec(folder.resolve("set"), "txt", "", "", 1, List.of(64), true, flipX, false, 0,
                List.of(folder.resolve("control")), Background.BLACK, false, 1);
        return Dataset.scan(List.of(spec), PictureReader.standard()).samples();
    }
}
