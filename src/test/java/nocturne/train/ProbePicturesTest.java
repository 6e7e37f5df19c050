package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import nocturne.image.Picture;
import nocturne.ledger.Ledger;
import nocturne.recipe.ProbeRecipe;
import nocturne.recipe.ProbeShot;
import nocturne.recipe.SamplePrompt;
import nocturne.report.RunSummary.Drift;
import org.junit.jupiter.api.Test;

/// Pictures of one grey each: the bare model draws 100.
class ProbePicturesTest {
    private static final SamplePrompt PROMPT =
            new SamplePrompt("ohwx", "", 32, 32, 1, 3.5, 4, 1, true, List.of());
    private static final ProbeRecipe RECIPE = new ProbeRecipe(
            PROMPT, "a star", List.of(3.0, 3.5, 4.0), List.of(0.6, 1.0), 1, List.of(), null);

    @Test
    @Ledger("S1-75")
    void theDriftIsMeasuredAtTheUsualSettingsAgainstTheBareModel() {
        SequencedMap<ProbeShot, Picture> pictures = new LinkedHashMap<>();
        for (ProbeShot shot : RECIPE.shots()) {
            int grey = switch (shot.name()) {
                case "cfg3.5_strength1.0" -> 140;
                case "without_trigger_strength1.0" -> 90;
                case "base", "without_trigger_base" -> 100;
                default -> 0;
            };
            pictures.put(shot, grey(grey));
        }
        assertThat(new ProbePictures(RECIPE, "t", 9, pictures).drift()).isEqualTo(new Drift(10, 40));
        pictures.keySet().removeIf(shot -> shot.name().equals("base"));
        assertThat(new ProbePictures(RECIPE, "t", 9, pictures).drift()).as("a picture is missing").isNull();
    }

    @Test
    void withoutPicturesThereIsNoSheet() {
        assertThat(new ProbePictures(RECIPE, "t", 9, new LinkedHashMap<>()).sheet()).isEmpty();
    }

    private static Picture grey(int value) {
        byte[] rgb = new byte[32 * 32 * 3];
        Arrays.fill(rgb, (byte) value);
        return new Picture(32, 32, rgb);
    }
}
