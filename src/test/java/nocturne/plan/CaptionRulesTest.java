package nocturne.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.dataset.Sample;
import nocturne.dataset.findings.CaptionTokens;
import nocturne.image.PictureFiles;
import nocturne.ledger.Ledger;
import nocturne.recipe.Notice;
import nocturne.recipe.RuleBook;
import nocturne.recipe.Severity;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is said about captions and the trigger word once the bundle is open. Each test breaks one thing of a bundle
/// about which nothing is to be said.
class CaptionRulesTest {
    private static final String SOUND = "maya_char in a garden full of flowers, photograph number %d, morning light";

    @TempDir
    private Path scratch = Path.of("");

    @BeforeEach
    void soundBundle() throws IOException {
        for (int i = 0; i < 4; i++) {
            write("bundle/set/%d.png".formatted(i), PictureFiles.png(64, 64 + 32 * i));
            write("bundle/set/%d.txt".formatted(i), SOUND.formatted(i));
        }
        recipe("trigger_word: maya_char\ndatasets: [{folder_path: set, resolution: 1024}]\n");
        Files.createDirectories(scratch.resolve("models/Qwen-Image/tokenizer"));
        write("models/Qwen-Image/tokenizer/vocab.json", "{\"!\": 0, \"\u0120garden\": 4321, \"\u0120rare\": 90000}");
    }

    private void recipe(String text) throws IOException {
        write("bundle/recipe.yaml", text + "model: {name_or_path: Qwen/Qwen-Image}\n");
    }

    private void write(String file, String text) throws IOException {
        Files.createDirectories(scratch.resolve(file).getParent());
        Files.writeString(scratch.resolve(file), text);
    }

    private void write(String file, byte[] bytes) throws IOException {
        Files.createDirectories(scratch.resolve(file).getParent());
        Files.write(scratch.resolve(file), bytes);
    }

    private Inspection inspection() {
        Bundle bundle = Bundle.open(scratch.resolve("bundle"), scratch.resolve("work"), BundleLimits.STANDARD);
        return Inspection.of(bundle, "maya", null, new ModelSearch.Anywhere(scratch));
    }

    private List<Notice> notices(String id) {
        return inspection().notices().stream().filter(notice -> notice.code().equals(id)).toList();
    }

    @ParameterizedTest
    @Ledger({"S1-69", "S2-54", "S1-74", "S1-07", "X-14"})
    @CsvSource({"S1-69-MISSING", "S1-69-SHARED", "S2-54", "S1-74-ABSENT", "S1-07"})
    void aSoundBundleNeedsNoWord(String id) {
        // Its recipe's own prompts are none, so all of these would be about captions.
        assertThat(notices(id)).isEmpty();
    }

    @Test
    @Ledger("S1-69")
    void missingAndEmptyCaptionsAreListed() throws IOException {
        Files.delete(scratch.resolve("bundle/set/1.txt"));
        write("bundle/set/3.txt", " \n");
        assertThat(notices("S1-69-MISSING")).singleElement().satisfies(notice -> {
            assertThat(notice.severity()).isEqualTo(Severity.WARNING);
            assertThat(notice.where()).isEqualTo("line 2  datasets[0].folder_path");
            assertThat(notice.text()).startsWith("2 of 4 pictures have no caption, or an empty one, and are trained"
                    + " with the trigger word alone: 1.png, 3.png.");
        });
        assertThat(inspection().notices()).as("told once").filteredOn(it -> it.text().contains("no caption"))
                .hasSize(1);
        recipe("trigger_word: maya_char\ndatasets: [{folder_path: set, default_caption: a photo}]\n");
        assertThat(notices("S1-69-MISSING")).as("somebody thought of them").singleElement().satisfies(notice -> {
            assertThat(notice.severity()).isEqualTo(Severity.NOTICE);
            assertThat(notice.text()).isEqualTo(
                    "2 of 4 pictures have no caption, or an empty one, and get default_caption: 1.png, 3.png.");
        });
    }

    /// What is said is what the sample without a caption has.
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{folder_path: set}                             | the trigger word alone     | maya_char",
        "{folder_path: set, tag: real_body}             | trigger word and tag alone | maya_char, real_body",
        "{folder_path: set, is_reg: true}               | no words                   | ''",
        "{folder_path: set, is_reg: true, tag: woman}   | the tag alone              | woman",
    })
    @Ledger({"S1-69", "S2-58"})
    void aPictureWithoutACaptionGetsWhatIsSaid(String dataset, String said, String trained) throws IOException {
        Files.delete(scratch.resolve("bundle/set/1.txt"));
        for (String picture : List.of("0.png", "1.png")) {
            write("bundle/other/" + picture, PictureFiles.png(64, 160));
            write("bundle/other/" + picture.replace("png", "txt"), SOUND.formatted(8));
        }
        recipe("trigger_word: maya_char\ndatasets: [%s, {folder_path: other}]\n".formatted(dataset));
        assertThat(notices("S1-69-MISSING")).singleElement().extracting(Notice::text).asString()
                .startsWith("1 of 4 pictures have no caption, or an empty one, and are trained with " + said + ": ");
        assertThat(inspection().training().samples()).element(1).extracting(Sample::caption).isEqualTo(trained);
    }

    @Test
    @Ledger("S1-69")
    void captionsThatSeveralPicturesShareAreListed() throws IOException {
        write("bundle/set/0.txt", SOUND.formatted(2));
        assertThat(notices("S1-69-SHARED")).singleElement().extracting(Notice::text).asString()
                .startsWith("several pictures have the same caption: 0.png, 2.png.");
    }

    @Test
    @Ledger({"S1-69", "S2-54"})
    void captionsThatAreTooLongAreListedAndCounted() throws IOException {
        write("bundle/set/0.txt", "maya_char " + "x".repeat(4000));
        write("bundle/set/1.txt", "maya_char " + "x".repeat(3990));
        write("bundle/set/2.txt", "maya_char");
        assertThat(told("S1-69-CUT", CaptionTokens.UNKNOWN)).singleElement().asString()
                .contains("1 picture (set/0.png, 4010 characters)");
        assertThat(notices("S2-54")).singleElement().satisfies(notice -> {
            assertThat(notice.severity()).isEqualTo(Severity.NOTICE);
            assertThat(notice.text()).startsWith("3 of 4 captions are shorter than 50 or longer than 200");
        });
    }

    /// What is encoded has the trigger word in front.
    @Test
    @Ledger("S1-69")
    void whereTokensCanBeCountedTheyDecideWhetherACaptionIsTooLong() throws IOException {
        write("bundle/set/0.txt", "in a garden, " + "x".repeat(4000));
        write("bundle/set/1.txt", "maya_char in the dark");
        CaptionTokens words = new CaptionTokens() {
            @Override
            public OptionalInt count(String caption) {
                return OptionalInt.of(caption.split(" ").length);
            }

            @Override
            public int most() {
                return 3;
            }
        };
        assertThat(told("S1-69-CUT", words)).singleElement().asString()
                .contains("4 pictures (set/0.png, 5 tokens; set/1.png, 4 tokens; set/2.png, 12 tokens;");
    }

    private List<String> told(String id, CaptionTokens tokens) {
        Inspection inspection = inspection();
        return inspection.notices(inspection.report(tokens)).stream().filter(notice -> notice.code().equals(id))
                .map(Notice::text).toList();
    }

    @Test
    void theSamePictureTwiceIsToldOnce() throws IOException {
        write("bundle/set/5.png", PictureFiles.png(64, 64));
        write("bundle/set/5.txt", SOUND.formatted(5));
        Inspection inspection = inspection();
        assertThat(inspection.notices(inspection.report(CaptionTokens.UNKNOWN)))
                .filteredOn(notice -> notice.text().contains("same picture")).singleElement()
                .extracting(Notice::code).isEqualTo("S1-68-ALIKE");
    }

    @Test
    @Ledger("S1-74")
    void captionsWithoutTheTriggerWordAreCounted() throws IOException {
        write("bundle/set/0.txt", "somebody in a garden full of flowers, photograph, morning light");
        write("bundle/set/1.txt", "[trigger] in a garden full of flowers, photograph, evening light");
        write("bundle/set/2.txt", "two maya_characters in a garden full of flowers, photograph");
        assertThat(notices("S1-74-ABSENT")).singleElement().extracting(Notice::text)
                .isEqualTo("2 of 4 captions lack the trigger word; it is put in front: 0.png, 2.png.");
    }

    @Test
    @Ledger("S2-58")
    void aDatasetsTagIsCountedAndTrained() throws IOException {
        write("bundle/set/0.txt", "maya_char, real_body in a garden full of flowers, photograph, morning light");
        recipe("trigger_word: maya_char\ndatasets: [{folder_path: set, tag: real_body}]\n");
        assertThat(notices("S2-58")).singleElement().extracting(Notice::text).asString()
                .startsWith("1 of 4 pictures have it in their captions;");
        assertThat(inspection().training().samples()).extracting(Sample::caption).element(1).asString()
                .startsWith("maya_char, real_body, in a garden");
    }

    @Test
    @Ledger("S1-07")
    void aTriggerThatIsOnePieceOfTheModelsVocabularyIsWarnedOf() throws IOException {
        recipe("trigger_word: garden\ndatasets: [{folder_path: set, trigger_word: maya_char}]\n");
        assertThat(notices("S1-07")).as("an everyday word, which is a common piece as well")
                .singleElement().satisfies(notice -> assertThat(notice.isWarning()).isTrue());
        write("models/Qwen-Image/tokenizer/vocab.json", "{\"!\": 0, \"\u0120vous\": 4321}");
        recipe("trigger_word: vous\ndatasets: [{folder_path: set, trigger_word: maya_char}]\n");
        assertThat(notices("S1-07")).as("a common piece").singleElement()
                .satisfies(notice -> assertThat(notice.isWarning()).isTrue());
        write("models/Qwen-Image/tokenizer/vocab.json", "{\"!\": 0, \"\u0120rare\": 90000}");
        recipe("trigger_word: rare\ndatasets: [{folder_path: set, trigger_word: maya_char}]\n");
        assertThat(notices("S1-07")).as("a piece, and no common one").isEmpty();
    }

    @Test
    @Ledger("S1-35")
    void captionsThatAreLeftAsideAreNeitherTrainedNorJudged() throws IOException {
        Files.delete(scratch.resolve("bundle/set/1.txt"));
        recipe("trigger_word: maya_char\ntrain: {unload_text_encoder: true}\ndatasets: [{folder_path: set}]\n");
        assertThat(inspection().training().samples()).extracting(Sample::caption).hasSize(4)
                .containsOnly("maya_char");
        assertThat(notices("S1-69-MISSING")).isEmpty();
        assertThat(notices("S1-35")).singleElement().satisfies(notice -> assertThat(notice.isWarning()).isTrue());
    }

    @Test
    void aVocabularyThatCannotBeReadSaysNothing() throws IOException {
        write("models/Qwen-Image/tokenizer/vocab.json", "{\"maya_char\": ");
        assertThat(notices("S1-07")).isEmpty();
    }

    @Test
    void picturesMayBeKeptOutOfTrainingOneByOne() throws IOException {
        write("bundle/other/9.png", PictureFiles.png(64, 96));
        recipe("trigger_word: maya_char\ndatasets: [{folder_path: set}]\ntrain: {validation_config: {resolution: 512, "
                + "validation_items: [{image_path: other/9.png, prompt: '[trigger] at sea'}]}}\n");
        assertThat(inspection().heldOut()).isNotNull().satisfies(heldOut -> assertThat(heldOut.samples())
                .singleElement().satisfies(sample -> {
                    assertThat(sample.caption()).isEqualTo("maya_char at sea");
                    assertThat(sample.resolution()).isEqualTo(512);
                }));
    }

    @Test
    void whatWasDecidedAboutPicturesKeptOutIsTold() throws IOException {
        write("bundle/heldout/9.png", PictureFiles.png(64, 96));
        recipe("""
                trigger_word: maya_char
                datasets: [{folder_path: set, resolution: 1024}]
                train: {validation_config: {validation_folder: heldout, resolution: 512}}
                """);
        assertThat(inspection().notices()).filteredOn(notice -> notice.code().equals("DATASET"))
                .extracting(Notice::text).anySatisfy(text -> assertThat(text).startsWith("set: smaller than"))
                .anySatisfy(text -> assertThat(text).isEqualTo("held out, heldout: smaller than resolution 512, taken"
                        + " at its own size: heldout/9.png (64 x 96 to 64 x 96)"));
    }

    /// A row alone stands for all of its rules.
    @Test
    void whoKnowsARowKnowsAllOfItsParts() throws IOException {
        recipe("i_know: [S1-69, S1-68]\ntrigger_word: maya_char\ndatasets: [{folder_path: set}]\n");
        Files.delete(scratch.resolve("bundle/set/1.txt"));
        write("bundle/set/0.txt", SOUND.formatted(2));
        write("bundle/set/5.png", PictureFiles.png(64, 64));
        write("bundle/set/5.txt", SOUND.formatted(5));
        Inspection inspection = inspection();
        assertThat(inspection.notices(inspection.report(CaptionTokens.UNKNOWN)))
                .filteredOn(notice -> notice.code().matches("S1-6[89].*"))
                .allSatisfy(notice -> assertThat(notice.isWarning()).as(notice.code()).isFalse())
                .extracting(Notice::code).contains("S1-69-MISSING", "S1-69-SHARED", "S1-68-ALIKE", "S1-68");
    }

    /// The reader of recipes must take their ids in `i_know`.
    @Test
    void theReaderOfRecipesKnowsTheIds() throws IOException {
        assertThat(PictureRules.yieldingIds()).containsExactlyInAnyOrder("S1-07", "S1-44-SHAPE", "S1-66-TRAINED",
                "S1-68-ALIKE", "S1-68-BLURRED", "S1-68-UNSEEN", "S1-69-MISSING", "S1-69-SHARED", "S1-69-CUT")
                .allMatch(RuleBook::yieldsToKnowledge);
        assertThat(List.of("S1-44", "S1-66", "S1-68", "S1-69")).allMatch(RuleBook::yieldsToKnowledge);
        recipe("i_know: [S1-69-MISSING]\ntrigger_word: maya_char\ndatasets: [{folder_path: set}]\n");
        Files.delete(scratch.resolve("bundle/set/1.txt"));
        assertThat(notices("S1-69-MISSING")).singleElement().extracting(Notice::severity).isEqualTo(Severity.NOTICE);
    }
}
