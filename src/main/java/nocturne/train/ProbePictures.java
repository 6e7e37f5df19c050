package nocturne.train;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.function.Predicate;
import nocturne.image.Background;
import nocturne.image.Picture;
import nocturne.image.PictureReader;
import nocturne.recipe.ProbeRecipe;
import nocturne.recipe.ProbeShot;
import nocturne.recipe.ProbeShot.Part;
import nocturne.recipe.SamplePrompt;
import nocturne.report.ProbeSheet;
import nocturne.report.RunSummary.Drift;
import org.jspecify.annotations.Nullable;

/// The pictures that a probe has drawn, for the sheet and for what is measured on them.
///
/// @param title  of the sheet
/// @param wanted how many there should be
record ProbePictures(ProbeRecipe recipe, String title, int wanted, SequencedMap<ProbeShot, Picture> pictures) {
    /// @param checkpoint name of the adapter's file
    /// @param place      where a picture lies once it is drawn
    static ProbePictures read(ProbeRecipe recipe, String checkpoint, Function<ProbeShot, Path> place) {
        SequencedMap<ProbeShot, Picture> pictures = new LinkedHashMap<>();
        List<ProbeShot> shots = recipe.shots();
        for (ProbeShot shot : shots) {
            Path file = place.apply(shot);
            if (Files.isRegularFile(file)) pictures.put(shot, PictureReader.standard().read(file, Background.BLACK));
        }
        return new ProbePictures(recipe, checkpoint + ": " + recipe.prompt().prompt(), shots.size(), pictures);
    }

    /// All on one sheet; empty if there are none.
    Optional<Picture> sheet() {
        if (pictures.isEmpty()) return Optional.empty();
        List<ProbeSheet.Row> rows = new ArrayList<>();
        for (double scale : recipe.guidanceScales()) {
            boolean usual = scale == recipe.usualGuidance();
            rows.add(row("guidance " + scale, false, shot -> shot.part() == Part.GRID && isAt(shot, scale)
                    || usual && shot.part() == Part.BASE, ProbePictures::strength));
        }
        rows.add(row("the middle at full size, guidance " + recipe.usualGuidance(), true,
                shot -> shot.part() == Part.GRID && isAt(shot, recipe.usualGuidance()) || shot.part() == Part.BASE,
                ProbePictures::strength));
        rows.add(row("without the trigger word: " + recipe.withoutTrigger(), false,
                shot -> shot.part() == Part.WITHOUT_TRIGGER, ProbePictures::strength));
        rows.add(row("other seeds", false, shot -> shot.part() == Part.SEEDS,
                picture -> "seed " + picture.seed()));
        rows.add(row("with the other LoRA: " + recipe.secondLora(), false, shot -> shot.part() == Part.SECOND_LORA,
                picture -> picture.strength() == 0 ? "that one alone" : "both"));
        rows.add(row("other prompts", false, shot -> shot.part() == Part.PROMPTS, SamplePrompt::prompt));
        return Optional.of(ProbeSheet.draw(title, rows));
    }

    private static boolean isAt(ProbeShot shot, double guidance) {
        return shot.picture().guidanceScale() == guidance;
    }

    private static String strength(SamplePrompt picture) {
        return picture.strength() == 0 ? "base" : "strength " + picture.strength();
    }

    private ProbeSheet.Row row(String name, boolean details, Predicate<ProbeShot> belongs,
            Function<SamplePrompt, String> caption) {
        List<ProbeSheet.Cell> cells = new ArrayList<>();
        for (Map.Entry<ProbeShot, Picture> entry : pictures.entrySet()) {
            if (belongs.test(entry.getKey())) {
                cells.add(new ProbeSheet.Cell(caption.apply(entry.getKey().picture()), entry.getValue()));
            }
        }
        return new ProbeSheet.Row(name, details, cells);
    }

    /// How far the adapter, at its usual settings, moves pictures with and without the trigger word from those of the
    /// bare model; null where a picture is missing.
    @Nullable Drift drift() {
        Picture with = usual(Part.GRID, recipe.usualStrength());
        Picture base = usual(Part.BASE, 0);
        Picture without = usual(Part.WITHOUT_TRIGGER, recipe.usualStrength());
        Picture bare = usual(Part.WITHOUT_TRIGGER, 0);
        if (with == null || base == null || without == null || bare == null) return null;
        return new Drift(distance(without, bare), distance(with, base));
    }

    private @Nullable Picture usual(Part part, double strength) {
        return pictures.entrySet().stream()
                .filter(entry -> entry.getKey().part() == part && isAt(entry.getKey(), recipe.usualGuidance())
                        && entry.getKey().picture().strength() == strength)
                .map(Map.Entry::getValue).findFirst().orElse(null);
    }

    /// Root mean square of the differences of RGB values, 0 to 255; of pictures of one size.
    private static double distance(Picture one, Picture other) {
        double squares = 0;
        for (int i = 0; i < one.rgb().length; i++) {
            double difference = (one.rgb()[i] & 0xff) - (other.rgb()[i] & 0xff);
            squares += difference * difference;
        }
        return Math.sqrt(squares / one.rgb().length);
    }
}
