package nocturne.dataset.findings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import java.awt.geom.AffineTransform;
import java.awt.image.AffineTransformOp;
import java.awt.image.BufferedImage;
import java.awt.image.ConvolveOp;
import java.awt.image.Kernel;
import java.awt.image.RescaleOp;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import nocturne.dataset.Dataset;
import nocturne.dataset.DatasetSpec;
import nocturne.dataset.Patience;
import nocturne.dataset.SeenPictures;
import nocturne.dataset.findings.DatasetReport.Bucket;
import nocturne.dataset.findings.DatasetReport.Role;
import nocturne.dataset.findings.Finding.Kind;
import nocturne.dataset.findings.Finding.Likeness;
import nocturne.image.PictureFiles;
import nocturne.image.PictureReader;
import nocturne.image.Scenes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Folders are written with known defects, and the report must name those and no others.
class DatasetStudyTest {
    @TempDir
    Path folder;

    @Test
    void theNumbersOfTheRunAreTheRulingsThree() {
        picture("40_maya/a.jpg", Scenes.scene(96, 96, 1));
        picture("40_maya/b.jpg", Scenes.scene(96, 64, 2));
        DatasetReport report = DatasetStudy.of(scan("40_maya"), null, 3400, 1, 4, CaptionTokens.UNKNOWN);
        assertThat(report.length().samplesPerEpoch()).isEqualTo(80);
        assertThat(report.length().samplesPerStep()).isEqualTo(4);
        assertThat(report.length().stepsPerEpoch()).isEqualTo(20);
        assertThat(report.length().epochs()).isEqualTo(170);
        assertThat(report.folders()).containsExactly(
                new DatasetReport.Folder("40_maya", Role.TRAINING, 2, 40, 1, List.of(64), 80));
        assertThat(report.pictures()).isEqualTo(2);
        assertThat(report.lookedAt()).isEqualTo(2);
    }

    @Test
    void bucketsAreCountedWithWhatTheyCutAway() {
        picture("set/square.jpg", Scenes.scene(128, 128, 1));
        picture("set/also.jpg", Scenes.scene(256, 256, 2));
        picture("set/wide.jpg", Scenes.scene(128, 120, 3));
        List<Bucket> buckets = study("set").buckets();
        assertThat(buckets).hasSize(1);
        assertThat(buckets.getFirst().pictures()).isEqualTo(3);
        assertThat(buckets.getFirst().cropped()).isCloseTo((1 - 120.0 / 128) / 3, offset(0.005));
    }

    /// Of one scene a copy that was compressed hard, one that was brightened, one mirrored; and others beside them.
    @Test
    void whatLooksAlikeIsGroupedAndThePairsAreNamed() {
        BufferedImage scene = Scenes.scene(320, 240, 7);
        picture("set/1.jpg", scene);
        bytes("set/2.jpg", Scenes.jpeg(scene, new Scenes.Jpeg(0.3, 2, 0, true)));
        picture("set/3.jpg", new RescaleOp(0.8f, 30, null).filter(scene, null));
        picture("set/4.jpg", mirrored(scene));
        for (int i = 5; i < 12; i++) picture("set/" + i + ".jpg", Scenes.scene(320, 240, 100 + i));
        List<Finding> alike = study("set").findings(Kind.ALIKE);
        assertThat(alike).hasSize(1);
        assertThat(alike.getFirst().pictures())
                .containsExactlyInAnyOrder("set/1.jpg", "set/2.jpg", "set/3.jpg", "set/4.jpg");
        assertThat(alike.getFirst().likeness()).hasSize(3).anySatisfy(pair -> {
            assertThat(pair.second()).isEqualTo("set/4.jpg");
            assertThat(pair.mirrored()).isTrue();
        });
        assertThat(alike.getFirst().text()).startsWith("4 pictures").endsWith("some mirrored");
    }

    @Test
    void aHeldOutPictureThatIsTrainedIsTheFirstFinding() {
        picture("set/1.jpg", Scenes.scene(320, 240, 7));
        picture("set/2.jpg", Scenes.scene(320, 240, 8));
        bytes("held/x.jpg", Scenes.jpeg(Scenes.scene(320, 240, 8), new Scenes.Jpeg(0.5, 2, 0, false)));
        picture("held/y.jpg", Scenes.scene(320, 240, 9));
        DatasetReport report = DatasetStudy.of(scan("set"), scan("held"), 100, 1, 1, CaptionTokens.UNKNOWN);
        Finding first = report.findings().getFirst();
        assertThat(first.kind()).isEqualTo(Kind.HELD_OUT_TRAINED);
        assertThat(first.pictures()).containsExactly("set/2.jpg", "held/x.jpg");
        assertThat(report.findings(Kind.ALIKE)).isEmpty();
        assertThat(report.length().samplesPerEpoch()).as("held-out pictures are not trained").isEqualTo(2);
    }

    @Test
    void aFolderUsedTwiceIsNotLikeItself() {
        picture("set/1.jpg", Scenes.scene(320, 240, 7));
        DatasetSpec spec = DatasetSpec.of(folder.resolve("set"), "ohwx", 64);
        Dataset twice = Dataset.scan(List.of(spec, spec), PictureReader.standard());
        assertThat(DatasetStudy.of(twice, null, 1, 1, 1, CaptionTokens.UNKNOWN).findings(Kind.ALIKE)).isEmpty();
    }

    @Test
    void aBlurredPictureIsFoundBesideSharpOnesAndByItself() {
        for (int i = 0; i < 6; i++) picture("set/sharp" + i + ".jpg", Scenes.scene(512, 384, i));
        picture("set/soft.jpg", blurred(Scenes.scene(512, 384, 50), 9));
        picture("alone/soft.jpg", blurred(Scenes.scene(512, 384, 50), 9));
        assertThat(study("set").findings(Kind.BLURRED)).extracting(Finding::pictures)
                .containsExactly(List.of("set/soft.jpg"));
        assertThat(study("alone").findings(Kind.BLURRED)).hasSize(1).allSatisfy(finding ->
                assertThat(finding.value()).isBetween(0.0, PictureFindings.BLURRED));
    }

    @Test
    void smallAndVeryWidePicturesAreNamed() {
        picture("set/fine.jpg", Scenes.scene(96, 96, 1));
        picture("set/small.jpg", Scenes.scene(48, 48, 2));
        picture("set/wide.jpg", Scenes.scene(320, 96, 3));
        picture("set/film.jpg", Scenes.scene(210, 90, 4));
        DatasetReport report = study("set");
        assertThat(report.findings(Kind.SMALL)).extracting(Finding::pictures).containsExactly(List.of("set/small.jpg"));
        assertThat(report.findings(Kind.SMALL).getFirst().value()).isEqualTo(48.0 * 48 / (64 * 64));
        assertThat(report.findings(Kind.EXTREME_SHAPE)).extracting(Finding::text)
                .containsExactly("320 x 96 pixels, 3.3 times as wide as high");
    }

    @Test
    void captionsThatLackSomethingAreNamedAndNeverQuoted() {
        String[] captions = {"ohwx on a secret beach", "Ohwx on a secret BEACH", "on a secret hill", " ",
            "ohwx, " + "secret ".repeat(150), "[trigger] in a secret wood"};
        for (int i = 0; i < captions.length; i++) {
            picture("set/" + i + ".jpg", Scenes.scene(96, 96, i));
            bytes("set/" + i + ".txt", captions[i].getBytes(StandardCharsets.UTF_8));
        }
        picture("set/none.jpg", Scenes.scene(96, 96, 99));
        DatasetReport report = study("set");
        assertThat(pictures(report, Kind.CAPTION_SHARED)).containsExactly("set/0.jpg", "set/1.jpg");
        assertThat(pictures(report, Kind.TRIGGER_ABSENT)).containsExactly("set/1.jpg", "set/2.jpg");
        assertThat(pictures(report, Kind.CAPTION_EMPTY)).containsExactly("set/3.jpg");
        assertThat(pictures(report, Kind.CAPTION_LONG)).containsExactly("set/4.jpg");
        assertThat(pictures(report, Kind.CAPTION_MISSING)).containsExactly("set/none.jpg");
        assertThat(report.captions().written()).isEqualTo(5);
        assertThat(report.captions().shortest()).isEqualTo("on a secret hill".length());
        assertThat(report.captions().longestTokens()).isEmpty();
        assertThat(DatasetJson.of(report)).doesNotContain("secret");
    }

    @Test
    void tokensDecideWhereTheTokenizerIsAtHand() {
        picture("set/1.jpg", Scenes.scene(96, 96, 1));
        bytes("set/1.txt", "ohwx one two three four".getBytes(StandardCharsets.UTF_8));
        CaptionTokens words = new CaptionTokens() {
            @Override
            public OptionalInt count(String caption) {
                return OptionalInt.of(caption.split(" ").length);
            }

            @Override
            public int most() {
                return 4;
            }
        };
        DatasetReport report = DatasetStudy.of(scan("set"), null, 1, 1, 1, words);
        assertThat(report.captions().longestTokens()).hasValue(5);
        assertThat(report.findings(Kind.CAPTION_CUT)).extracting(Finding::text).containsExactly("5 tokens");
        assertThat(report.findings(Kind.CAPTION_LONG)).isEmpty();
    }

    @Test
    void whatThereWasNoTimeForIsCountedAndNotGuessed() {
        picture("set/1.jpg", Scenes.scene(320, 240, 7));
        picture("set/2.jpg", Scenes.scene(320, 240, 8));
        Dataset unseen = Dataset.scan(List.of(DatasetSpec.of(folder.resolve("set"), "ohwx", 64)),
                new SeenPictures(PictureReader.standard()), Patience.lasting(Duration.ZERO));
        DatasetReport report = DatasetStudy.of(unseen, null, 1, 1, 1, CaptionTokens.UNKNOWN);
        assertThat(report.lookedAt()).isZero();
        assertThat(report.pictures()).isEqualTo(2);
        assertThat(pictures(report, Kind.NOT_LOOKED_AT)).containsExactly("set/1.jpg", "set/2.jpg");
        assertThat(report.findings(Kind.ALIKE)).isEmpty();
        assertThat(report.findings(Kind.BLURRED)).isEmpty();
        assertThat(Patience.ENDLESS.isOver()).isFalse();
    }

    /// The bytes are enough for that.
    @Test
    void theSameFileTwiceIsFoundWithoutALook() {
        picture("set/1.jpg", Scenes.scene(320, 240, 7));
        picture("set/2.jpg", Scenes.scene(320, 240, 7));
        Dataset unseen = Dataset.scan(List.of(DatasetSpec.of(folder.resolve("set"), "ohwx", 64)),
                new SeenPictures(PictureReader.standard()), Patience.lasting(Duration.ZERO));
        assertThat(pictures(DatasetStudy.of(unseen, null, 1, 1, 1, CaptionTokens.UNKNOWN), Kind.ALIKE))
                .containsExactly("set/1.jpg", "set/2.jpg");
    }

    @Test
    void likenessesOfManyEqualPicturesAreAsManyAsThePicturesButOne() {
        for (int i = 0; i < 9; i++) picture("set/" + i + ".jpg", Scenes.scene(64, 64, 3));
        Finding alike = study("set").findings(Kind.ALIKE).getFirst();
        assertThat(alike.pictures()).hasSize(9);
        assertThat(alike.likeness()).hasSize(8).extracting(Likeness::bits).containsOnly(0);
    }

    private DatasetReport study(String name) {
        return DatasetStudy.of(scan(name), null, 100, 1, 1, CaptionTokens.UNKNOWN);
    }

    private Dataset scan(String name) {
        return Dataset.scan(List.of(DatasetSpec.of(folder.resolve(name), "ohwx", 64)), PictureReader.standard());
    }

    private static List<String> pictures(DatasetReport report, Kind kind) {
        return report.findings(kind).stream().flatMap(finding -> finding.pictures().stream()).toList();
    }

    private void picture(String name, BufferedImage image) {
        bytes(name, Scenes.jpeg(image, Scenes.Jpeg.USUAL));
    }

    private void bytes(String name, byte[] bytes) {
        PictureFiles.write(folder.resolve(name), bytes);
    }

    private static BufferedImage mirrored(BufferedImage image) {
        AffineTransform swap = new AffineTransform(-1, 0, 0, 1, image.getWidth(), 0);
        return new AffineTransformOp(swap, AffineTransformOp.TYPE_NEAREST_NEIGHBOR).filter(image, null);
    }

    /// By the mean of `side` x `side` pixels; the edges, which cannot be averaged, are cut off.
    private static BufferedImage blurred(BufferedImage image, int side) {
        float[] weights = new float[side * side];
        Arrays.fill(weights, 1f / weights.length);
        BufferedImage soft = new ConvolveOp(new Kernel(side, side, weights), ConvolveOp.EDGE_NO_OP, null)
                .filter(image, null);
        BufferedImage inner = new BufferedImage(image.getWidth() - 2 * side, image.getHeight() - 2 * side,
                BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < inner.getHeight(); y++) {
            for (int x = 0; x < inner.getWidth(); x++) inner.setRGB(x, y, soft.getRGB(x + side, y + side));
        }
        return inner;
    }
}
