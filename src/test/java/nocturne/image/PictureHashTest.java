package nocturne.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.image.AffineTransformOp;
import java.awt.image.BufferedImage;
import java.awt.image.RescaleOp;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class PictureHashTest {

    @Property(tries = 40)
    void aPictureIsRecognisedAfterWhatProgramsDoToPictures(@ForAll long seed,
            @ForAll @IntRange(min = 2, max = 10) int quality, @ForAll @IntRange(min = 60, max = 400) int width) {
        BufferedImage scene = Scenes.scene(320, 240, seed);
        PictureHash hash = hash(scene);
        assertThat(hash.distance(hash(recompressed(scene, quality / 10.0)))).as("compressed again")
                .isLessThanOrEqualTo(PictureHash.ALIKE);
        assertThat(hash.distance(hash(scaled(scene, width, width * 3 / 4)))).as("at another size")
                .isLessThanOrEqualTo(PictureHash.ALIKE);
        assertThat(hash.distance(hash(new RescaleOp(0.7f, 60, null).filter(scene, null)))).as("brighter, softer")
                .isLessThanOrEqualTo(PictureHash.ALIKE);
        assertThat(hash.distance(hash(Scenes.grey(scene)))).as("without colours").isLessThanOrEqualTo(12);
    }

    @Property(tries = 40)
    void aMirroredPictureHasTheMirroredHash(@ForAll long seed) {
        BufferedImage scene = Scenes.scene(320, 240, seed);
        AffineTransform swap = new AffineTransform(-1, 0, 0, 1, 320, 0);
        BufferedImage mirrored = new AffineTransformOp(swap, AffineTransformOp.TYPE_NEAREST_NEIGHBOR)
                .filter(scene, null);
        assertThat(hash(scene).mirrored().distance(hash(mirrored))).isLessThanOrEqualTo(1);
        assertThat(hash(scene).distance(hash(mirrored))).as("as it is").isGreaterThan(PictureHash.ALIKE);
        assertThat(hash(scene).mirrored().mirrored()).isEqualTo(hash(scene));
    }

    @Property(tries = 200)
    void differentPicturesAreFarApart(@ForAll long one, @ForAll long other) {
        if (one == other) return;
        assertThat(hash(Scenes.scene(96, 96, one)).distance(hash(Scenes.scene(96, 96, other))))
                .isGreaterThan(PictureHash.ALIKE);
    }

    /// The hash alone would take these for the same: one shape in the middle, in another colour.
    @Test
    void theSameShapeInAnotherColourIsAnotherPicture() {
        Picture red = spot(new Color(200, 60, 60));
        Picture green = spot(new Color(80, 120, 60));
        assertThat(PictureHash.of(red).distance(PictureHash.of(green))).isLessThanOrEqualTo(PictureHash.ALIKE);
        assertThat(Look.at(red).likeness(Look.at(green))).isEmpty();
        assertThat(Look.at(red).likeness(Look.at(red))).hasValue(0);
    }

    @Test
    void twoPicturesOfNothingAreAlike() {
        Picture white = new Picture(40, 40, new byte[4800]);
        assertThat(Look.at(white).likeness(Look.at(white))).hasValue(0);
        assertThat(Look.at(white).likeness(Look.at(spot(Color.RED)))).isEmpty();
    }

    private static Picture spot(Color colour) {
        BufferedImage image = new BufferedImage(200, 200, BufferedImage.TYPE_INT_RGB);
        Graphics2D pen = image.createGraphics();
        pen.setColor(Color.WHITE);
        pen.fillRect(0, 0, 200, 200);
        pen.setColor(colour);
        pen.fillOval(50, 40, 100, 120);
        pen.dispose();
        return Scenes.picture(image);
    }

    @Property
    void distanceIsAMetric(@ForAll long a, @ForAll long b, @ForAll long c) {
        PictureHash first = new PictureHash(a);
        PictureHash second = new PictureHash(b);
        PictureHash third = new PictureHash(c);
        assertThat(first.distance(first)).isZero();
        assertThat(first.distance(second)).isEqualTo(second.distance(first));
        assertThat(first.distance(third)).isLessThanOrEqualTo(first.distance(second) + second.distance(third));
        assertThat(first.mirrored().distance(second.mirrored())).isEqualTo(first.distance(second));
    }

    @Test
    void theMeanIsNoPartOfIt() {
        assertThat(hash(Scenes.scene(64, 64, 1)).bits() & 1).isZero();
    }

    private static PictureHash hash(BufferedImage image) {
        return PictureHash.of(Scenes.picture(image));
    }

    private static BufferedImage scaled(BufferedImage image, int width, int height) {
        BufferedImage scaled = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D pen = scaled.createGraphics();
        pen.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        pen.drawImage(image, 0, 0, width, height, null);
        pen.dispose();
        return scaled;
    }

    private static BufferedImage recompressed(BufferedImage image, double quality) {
        Picture picture = PictureReader.standard().decode(
                Scenes.jpeg(image, new Scenes.Jpeg(quality, 2, 0, false)), "again", Background.WHITE);
        BufferedImage again = new BufferedImage(picture.width(), picture.height(), BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < picture.height(); y++) {
            for (int x = 0; x < picture.width(); x++) {
                again.setRGB(x, y, picture.at(x, y, 0) << 16 | picture.at(x, y, 1) << 8 | picture.at(x, y, 2));
            }
        }
        return again;
    }
}
