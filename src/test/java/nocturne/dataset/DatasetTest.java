package nocturne.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import nocturne.image.Background;
import nocturne.image.PictureFiles;
import nocturne.image.PictureReader;
import nocturne.ledger.Ledger;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetTest {
    @TempDir
    Path folder;

    @Test
    void theShippedExampleIsSound() {
        Dataset dataset = scan(DatasetSpec.of(Path.of("examples/ohwx/dataset/10_ohwx"), "ohwx", 64));
        assertThat(dataset.samples()).hasSize(20).allSatisfy(sample -> {
            assertThat(sample.placement()).isEqualTo(new Placement(64, 64, 0, 0, 64, 64));
            assertThat(sample.caption()).contains("ohwx");
            assertThat(sample.repeats()).isEqualTo(10);
        });
        assertThat(dataset.visitsPerEpoch()).isEqualTo(200);
        assertThat(dataset.notices())
                .containsExactly("10_ohwx: each picture is repeated 10 times, as the folder's name says");
    }

    @Test
    void picturesAreFoundInSubFoldersButNotInHiddenOnesOrControls() {
        picture("set/b.png");
        picture("set/sub/a.JPG");
        picture("set/.hidden/x.png");
        picture("set/_controls/x.png");
        picture("set/__MACOSX/x.png");
        picture("set/.x.png");
        picture("set/own controls/b.png");
        picture("set/own controls/sub/a.png");
        text("set/notes.md", "not a caption");
        Dataset dataset = scan(withControls("set", "set/own controls"));
        assertThat(files(dataset)).containsExactly("b.png", "a.JPG");
    }

    @Test
    @Ledger({"S1-74", "S2-37"})
    void captionsAreReadPlacedAndInjected() {
        picture("40_maya/1.png");
        text("40_maya/1.txt", "a photo of [trigger]");
        picture("40_maya/2.png");
        text("40_maya/2.TXT", "in a park,\nat night");
        picture("40_maya/3.png");
        picture("40_maya/4.png");
        text("40_maya/4.txt", " \n ");
        DatasetSpec spec = new DatasetSpec(folder.resolve("40_maya"), ".txt", "portrait of [trigger]", "maya", 0,
                List.of(64), true, false, false, 0.05, List.of(), Background.BLACK, false, 0.5);
        Dataset dataset = scan(spec);
        assertThat(dataset.samples()).extracting(Sample::caption).containsExactly(
                "a photo of maya", "maya in a park, at night", "portrait of maya", "portrait of maya");
        assertThat(dataset.samples()).allSatisfy(sample -> {
            assertThat(sample.repeats()).isEqualTo(40);
            assertThat(sample.captionDropoutRate()).isEqualTo(0.05);
            assertThat(sample.lossMultiplier()).isEqualTo(0.5);
        });
    }

    /// Everything that can be wrong, wrong at once: one message names all of it.
    @Test
    void allProblemsOfAllFoldersAreToldTogether() throws IOException {
        picture("a/good.png");
        bytes("a/broken.png", Arrays.copyOf(PictureFiles.png(64, 64), 60));
        bytes("a/bomb.png", PictureFiles.pngClaiming(60_000, 60_000));
        text("a/text.jpg", "no picture");
        text("a/orphan.txt", "a caption of nothing");
        picture("a/twin.png");
        picture("a/twin.jpeg");
        text("a/phone.heic", "x");
        text("a/phone.txt", "its caption is not an orphan");
        bytes("a/good.txt", new byte[] {'c', (byte) 0xe9});
        text("a/twin.txt", "x".repeat(70_000));
        picture("c/good.png");
        picture("c/twin.png");
        picture("c/left over.png");
        text("c/bomb.webp", "no picture either");
        Files.createDirectories(folder.resolve("empty"));
        UserMistake mistake = refusal(withControls("a", "c"),
                DatasetSpec.of(folder.resolve("empty"), "", 64), DatasetSpec.of(folder.resolve("missing"), "", 64));
        assertThat(mistake).hasMessage("The dataset has 14 problems; no training time was spent.");
        assertThat(mistake.problems()).extracting(Problem::toString).satisfiesExactlyInAnyOrder(
                line -> assertThat(line).startsWith("a/broken.png: the file ends too early"),
                line -> assertThat(line).startsWith("a/bomb.png: 60,000 x 60,000 pixels; at most"),
                line -> assertThat(line).startsWith("a/text.jpg: its content is neither"),
                line -> assertThat(line).isEqualTo("a/orphan.txt: is a caption without a picture of the same name"),
                line -> assertThat(line).startsWith("a/twin.png: has the same name as twin.jpeg but for the ending"),
                line -> assertThat(line).startsWith("a/phone.heic: HEIC pictures are not read"),
                line -> assertThat(line).startsWith("a/good.txt: the caption is not UTF-8"),
                line -> assertThat(line).startsWith("a/twin.txt: the caption is longer than 64 KB"),
                line -> assertThat(line).startsWith("a/broken.png: has no control picture in c; one named broken.png"),
                line -> assertThat(line).startsWith("a/text.jpg: has no control picture in c"),
                line -> assertThat(line).startsWith("c/bomb.webp: its content is neither"),
                line -> assertThat(line).startsWith("c/left over.png: is a control picture without a picture"),
                line -> assertThat(line).isEqualTo("empty: holds no pictures (PNG, JPEG or WebP)"),
                line -> assertThat(line).isEqualTo(folder.resolve("missing") + ": there is no such folder"));
    }

    @Test
    void noDatasetAtAllIsAMistake() {
        assertThat(refusal().report()).contains("There is no dataset to train on.");
    }

    @Test
    void controlsArePairedByStemInAnyFormatAndKeepTheirOrderAndSize() {
        picture("set/sub/1.png");
        picture("set/2.png");
        bytes("depth/sub/1.jpg", PictureFiles.jpeg(96, 40));
        bytes("depth/2.png", PictureFiles.png(50, 60));
        bytes("pose/1.png", PictureFiles.png(33, 44));
        bytes("pose/2.jpeg", PictureFiles.jpegWithExif(PictureFiles.jpeg(70, 80), 6, ByteOrder.BIG_ENDIAN));
        Dataset dataset = scan(withControls("set", "depth", "pose"));
        assertThat(dataset.samples()).extracting(sample -> sample.picture().file().getFileName().toString() + " "
                        + sample.controls().stream().map(control -> control.width() + "x" + control.height()).toList())
                .containsExactly("2.png [50x60, 80x70]", "1.png [96x40, 33x44]");
        assertThat(dataset.samples().getFirst().controls().getFirst().background()).isEqualTo(Background.BLACK);
        assertThat(dataset.samples().getFirst().picture().background()).isEqualTo(Background.WHITE);
    }

    @Test
    void aControlFolderMayServeTwoDatasets() {
        picture("a/1.png");
        picture("b/2.png");
        picture("c/1.png");
        picture("c/2.png");
        assertThat(scan(withControls("a", "c"), withControls("b", "c")).samples()).hasSize(2);
    }

    @Test
    @Ledger("S2-46")
    void eachResolutionShowsEachPictureOnceAndRepetitionsAreDropped() {
        bytes("set/a.png", PictureFiles.png(200, 100));
        DatasetSpec spec = spec("set", List.of(64, 128, 64), false, false, 3);
        Dataset dataset = scan(spec);
        assertThat(dataset.samples())
                .extracting(sample -> sample.resolution() + ": " + sample.width() + "x" + sample.height())
                .containsExactly("64: 64x32", "128: 160x96");
        assertThat(dataset.samples()).extracting(Sample::repeats).containsOnly(3);
        assertThat(dataset.notices()).contains("set: resolution [64, 128, 64] repeats itself, taken as [64, 128]");
    }

    @Test
    void theKeyWinsOverTheFoldersName() {
        picture("40_maya/1.png");
        Dataset dataset = scan(spec("40_maya", List.of(64), false, false, 7));
        assertThat(dataset.samples().getFirst().repeats()).isEqualTo(7);
        assertThat(dataset.notices()).contains("40_maya: num_repeats is 7, so the 40 in the folder's name is ignored");
    }

    @Test
    void flipsAddCopiesWithIdentitiesOfTheirOwn() {
        picture("set/1.png");
        text("set/1.txt", "she looks left");
        Dataset dataset = scan(spec("set", List.of(64), true, true, 1));
        assertThat(dataset.samples()).extracting(Sample::flip).containsExactly(Flip.NONE, Flip.X, Flip.Y, Flip.XY);
        assertThat(dataset.samples()).extracting(Sample::id).doesNotHaveDuplicates();
        assertThat(dataset.samples()).extracting(Sample::pixelsHash).doesNotHaveDuplicates();
        assertThat(dataset.notices())
                .contains("set: flip_x is on and the caption speaks of left or right: set/1.png");
    }

    @Test
    void picturesSmallerThanTheResolutionAreNotEnlargedAndSaidSo() {
        bytes("set/a.png", PictureFiles.png(100, 70));
        bytes("set/b.png", PictureFiles.png(20, 40));
        Dataset dataset = scan(spec("set", List.of(512), false, false, 1));
        assertThat(dataset.notices()).contains(
                "set: smaller than resolution 512, taken at its own size: set/a.png (100 x 70 to 96 x 64)",
                "set: enlarged, because no side may be under 32 pixels: set/b.png (20 x 40 to 32 x 32)");
    }

    @Test
    void picturesNamedOneByOneHaveTheirOwnWords() {
        picture("other/a.png");
        ChosenPictures chosen = new ChosenPictures("held out", List.of(
                new ChosenPictures.Chosen(folder.resolve("other/a.png"), "other/a.png", "[trigger] by day"),
                new ChosenPictures.Chosen(folder.resolve("other/a.png"), "other/a.png", "by night")), "maya", 64);
        Dataset dataset =
                Dataset.scan(List.of(), chosen, new SeenPictures(PictureReader.standard()), Patience.ENDLESS);
        assertThat(dataset.samples()).extracting(Sample::caption).containsExactly("maya by day", "maya by night");
        assertThat(dataset.samples()).extracting(Sample::resolution).containsOnly(64);
        assertThat(dataset.folders()).singleElement().extracting(FoundFolder::name).isEqualTo("held out");
    }

    @Test
    void aPictureNamedThatIsNotThereOrNoneIsAProblem() {
        text("other/a.txt", "text");
        ChosenPictures chosen = new ChosenPictures("held out", List.of(
                new ChosenPictures.Chosen(folder.resolve("other/a.txt"), "other/a.txt", ""),
                new ChosenPictures.Chosen(folder.resolve("other/b.png"), "other/b.png", "")), "maya", 64);
        assertThatThrownBy(() ->
                Dataset.scan(List.of(), chosen, new SeenPictures(PictureReader.standard()), Patience.ENDLESS))
                .isInstanceOfSatisfying(UserMistake.class, mistake -> assertThat(mistake.report())
                        .contains("other/a.txt: is no PNG, JPEG or WebP", "other/b.png: there is no such file"));
    }

    @Test
    void theSamePictureUnderTwoNamesIsKept() {
        picture("set/a.png");
        picture("set/b.png");
        Dataset dataset = scan(spec("set", List.of(64), false, false, 1));
        assertThat(dataset.samples()).hasSize(2);
        assertThat(dataset.samples().get(0).id()).isEqualTo(dataset.samples().get(1).id());
    }

    @Test
    void theIdentityOfASampleFollowsWhatItTeaches() {
        bytes("set/a.png", PictureFiles.png(64, 64));
        text("set/a.txt", "one");
        String one = scan(spec("set", List.of(64), false, false, 1)).samples().getFirst().id();
        assertThat(scan(spec("set", List.of(64), false, false, 5)).samples().getFirst().id()).isEqualTo(one);
        text("set/a.txt", "two");
        assertThat(scan(spec("set", List.of(64), false, false, 1)).samples().getFirst().id()).isNotEqualTo(one);
        text("set/a.txt", "one");
        bytes("set/a.png", PictureFiles.png(64, 65));
        assertThat(scan(spec("set", List.of(64), false, false, 1)).samples().getFirst().id()).isNotEqualTo(one);
    }

    @Test
    @Ledger("S1-43")
    void aRegularisationSetKeepsItsCaptionsAndStandsApart() {
        picture("set/1.png");
        picture("reg/1.png");
        text("reg/1.txt", "a woman");
        DatasetSpec regularisation = new DatasetSpec(folder.resolve("reg"), "txt", "", "maya", 1, List.of(64), true,
                false, false, 0, List.of(), Background.BLACK, true, 1);
        Dataset dataset = scan(DatasetSpec.of(folder.resolve("set"), "maya", 64), regularisation);
        assertThat(dataset.samples(true)).extracting(Sample::caption).containsExactly("a woman");
        assertThat(dataset.samples(false)).extracting(Sample::caption).containsExactly("maya");
    }

    @Test
    void samplesOfDifferentShapesShareNoBatch() {
        for (int i = 0; i < 5; i++) {
            bytes("set/" + i + ".png", i < 3 ? PictureFiles.png(64, 64) : PictureFiles.png(128, 32));
            bytes("control/" + i + ".png", PictureFiles.png(i == 0 ? 40 : 64, 64));
        }
        List<Sample> samples = scan(withControls("set", "control")).samples();
        DataOrder order = new DataOrder(samples, 4, 1);
        assertThat(order.batchesPerEpoch()).isEqualTo(3);
        for (int k = 0; k < 3; k++) {
            assertThat(order.batch(k).stream().map(samples::get).map(sample -> sample.width() + " "
                    + sample.controls().getFirst().width()).distinct()).hasSize(1);
        }
    }

    private Dataset scan(DatasetSpec... specs) {
        return Dataset.scan(List.of(specs), PictureReader.standard());
    }

    private UserMistake refusal(DatasetSpec... specs) {
        UserMistake mistake = catchThrowableOfType(UserMistake.class, () -> scan(specs));
        assertThat(mistake).as("refusal").isNotNull();
        return mistake;
    }

    private DatasetSpec spec(String name, List<Integer> resolutions, boolean flipX, boolean flipY, int repeats) {
        return new DatasetSpec(folder.resolve(name), "txt", "", "", repeats, resolutions, true, flipX, flipY, 0,
                List.of(), Background.BLACK, false, 1);
    }

    private DatasetSpec withControls(String name, String... controls) {
        return new DatasetSpec(folder.resolve(name), "txt", "a picture", "", 1, List.of(64), true, false, false, 0,
                Arrays.stream(controls).map(folder::resolve).toList(), Background.BLACK, false, 1);
    }

    private static List<String> files(Dataset dataset) {
        return dataset.samples().stream().map(sample -> sample.picture().file().getFileName().toString()).toList();
    }

    private void picture(String name) {
        boolean png = name.toLowerCase(Locale.ROOT).endsWith("png");
        bytes(name, png ? PictureFiles.png(64, 64) : PictureFiles.jpeg(64, 64));
    }

    private void bytes(String name, byte[] bytes) {
        PictureFiles.write(folder.resolve(name), bytes);
    }

    private void text(String name, String text) {
        bytes(name, text.getBytes(StandardCharsets.UTF_8));
    }
}
