package nocturne.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.dataset.FoundPicture;
import nocturne.dataset.Patience;
import nocturne.image.PictureFiles;
import nocturne.problem.UserMistake;
import nocturne.recipe.Adaptation;
import nocturne.recipe.Rung;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A bundle that is looked at for one device after another.
class InspectorTest {
    private static final List<String> PICTURES =
            List.of("set/0.png", "set/1.png", "set/2.png", "control/0.png", "control/1.png", "control/2.png",
                    "heldout/9.png");

    @TempDir
    private Path scratch;

    @BeforeEach
    void pictures() throws IOException {
        for (String picture : PICTURES) write(picture, PictureFiles.png(1024, 1024));
        Files.writeString(scratch.resolve("bundle/recipe.yaml"), """
                trigger_word: maya_char
                datasets: [{folder_path: set, control_path: control, resolution: 1024}]
                train: {validation_config: {validation_folder: heldout}}
                model: {name_or_path: Qwen/Qwen-Image-Edit-2509, arch: qwen_image_edit_plus}
                """);
        Files.createDirectories(scratch.resolve("models/Qwen-Image-Edit-2509"));
    }

    /// Between the two inspections every file gets other bytes, as many and of the same time: whoever opened one would
    /// find no picture in it.
    @Test
    void aSecondInspectionOpensNoPicture() throws IOException {
        Inspector inspector = inspector();
        Inspection first = inspector.inspect(Adaptation.NONE);
        for (String picture : PICTURES) {
            Path file = scratch.resolve("bundle").resolve(picture);
            FileTime time = Files.getLastModifiedTime(file);
            Files.write(file, new byte[(int) Files.size(file)]);
            Files.setLastModifiedTime(file, time);
        }
        Inspection second = inspector.inspect(Adaptation.NONE.with(List.of(Rung.PIXELS_768)));
        assertThat(second.training().samples()).extracting(sample -> sample.width()).containsOnly(768);
        assertThat(second.training().folders().getFirst().pictures())
                .isEqualTo(first.training().folders().getFirst().pictures()).hasSize(3)
                .extracting(FoundPicture::look).allSatisfy(look -> assertThat(look).isPresent());
        assertThat(second.heldOut()).isNotNull();
        assertThatThrownBy(() -> inspector().inspect(Adaptation.NONE)).as("somebody who did not see them before")
                .isInstanceOfSatisfying(UserMistake.class,
                        mistake -> assertThat(mistake.problems()).hasSize(PICTURES.size()));
    }

    @Test
    void aPictureThatHasChangedIsOpenedAgain() throws IOException {
        Inspector inspector = inspector();
        Inspection first = inspector.inspect(Adaptation.NONE);
        write("set/1.png", PictureFiles.png(512, 512));
        List<FoundPicture> now = inspector.inspect(Adaptation.NONE).training().folders().getFirst().pictures();
        assertThat(now).element(1).satisfies(picture -> assertThat(picture.picture().width()).isEqualTo(512));
        assertThat(now).element(0).isEqualTo(first.training().folders().getFirst().pictures().getFirst());
    }

    @Test
    void whatThereWasNoTimeToLookAtIsLookedAtLater() {
        Inspector inspector = inspector();
        assertThat(inspector.inspect(Adaptation.NONE, Patience.lasting(Duration.ZERO)).training().folders().getFirst()
                .pictures()).allSatisfy(picture -> assertThat(picture.look()).isEmpty());
        assertThat(inspector.inspect(Adaptation.NONE).training().folders().getFirst().pictures())
                .allSatisfy(picture -> assertThat(picture.look()).isPresent());
    }

    private Inspector inspector() {
        Bundle bundle = Bundle.open(scratch.resolve("bundle"), scratch.resolve("work"), BundleLimits.STANDARD);
        return new Inspector(bundle, "maya", null, new ModelSearch.Anywhere(scratch));
    }

    private void write(String name, byte[] bytes) throws IOException {
        Path file = scratch.resolve("bundle").resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, bytes);
    }
}
