package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FlowMatchScheduleTest {
    private static final FlowMatchConfig QWEN = new FlowMatchConfig(0.5, 0.9, 256, 8192, 0.02, 1000);
    // The published Lightning models: one shift for every size, and no stretch.
    private static final double LOG_3 = Math.log(3);
    private static final FlowMatchConfig UNSTRETCHED = new FlowMatchConfig(LOG_3, LOG_3, 256, 8192, 0, 1000);

    @TempDir
    Path folder;

    @Property
    void noiseFallsFromAllToTheTerminalValueToNone(@ForAll @IntRange(min = 2, max = 200) int steps,
                                                   @ForAll @IntRange(min = 1, max = 65536) int tokens) {
        FlowMatchSchedule schedule = FlowMatchSchedule.of(QWEN, steps, tokens);
        assertThat(schedule.sigma(0)).isEqualTo(1);
        assertThat(schedule.sigma(steps - 1)).isCloseTo(0.02f, within(2e-6f));
        assertThat(schedule.sigma(steps)).isZero();
        for (int i = 0; i < steps; i++) {
            assertThat(schedule.delta(i)).isNegative();
            assertThat(schedule.modelTimestep(i)).isCloseTo(schedule.sigma(i), within(1e-7f));
        }
    }

    /// By hand: shift 3 takes the levels 1, 3/4, 1/2, 1/4 to 3 s / (1 + 2 s).
    @Test
    void aScheduleWithoutTerminalValueIsOnlyShifted() {
        FlowMatchSchedule schedule = FlowMatchSchedule.of(UNSTRETCHED, 4, 4096);
        float[] expected = {1, 0.9f, 0.75f, 0.5f, 0};
        for (int i = 0; i < expected.length; i++) {
            assertThat(schedule.sigma(i)).isCloseTo(expected[i], within(1e-6f));
        }
        assertThat(FlowMatchSchedule.of(UNSTRETCHED, 1, 4096).delta(0)).isEqualTo(-1);
    }

    @Test
    void aSingleStepIsRefusedWithAdvice() {
        assertThatThrownBy(() -> FlowMatchSchedule.of(QWEN, 1, 4096)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("1 is not allowed").hasMessageContaining("at least 2");
        assertThatThrownBy(() -> FlowMatchSchedule.of(UNSTRETCHED, 0, 4096)).isInstanceOf(UserMistake.class);
    }

    @Test
    void aShiftWithoutRoomIsRefusedInsteadOfYieldingNaN() {
        FlowMatchConfig steep = new FlowMatchConfig(0, 10, 1, 2, 0.02, 1000);
        assertThatThrownBy(() -> FlowMatchSchedule.of(steep, 20, 4096)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("4096 tokens");
        assertThatThrownBy(() -> FlowMatchSchedule.trainingTimesteps(steep, 1000, 4096))
                .isInstanceOf(UserMistake.class);
    }

    @Test
    void aStepNeedsAsManyVelocitiesAsLatents() {
        FlowMatchSchedule schedule = FlowMatchSchedule.of(QWEN, 4, 16);
        assertThatThrownBy(() -> schedule.step(0, new float[3], new float[2]))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> schedule.step(4, new float[3], new float[3]))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void theShippedModelHasTheScheduleOfQwenImage() {
        assertThat(FlowMatchConfig.read(Path.of("models/qwen-image-tiny/scheduler/scheduler_config.json")))
                .isEqualTo(QWEN);
    }

    /// The defaults are those of diffusers' constructor.
    @Test
    void absentSettingsHaveTheDefaultsOfTheReference() throws IOException {
        assertThat(read("{\"use_dynamic_shifting\": true}"))
                .isEqualTo(new FlowMatchConfig(0.5, 1.15, 256, 4096, 0, 1000));
        assertThat(read("{\"use_dynamic_shifting\": true, \"shift_terminal\": null, \"_diffusers_version\": \"0.36\","
                + " \"some_later_switch\": false}").shiftTerminal()).isZero();
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', value = {
        "use_dynamic_shifting, false", "time_shift_type, \"linear\"", "invert_sigmas, true", "use_karras_sigmas, true",
        "use_beta_sigmas, true", "use_exponential_sigmas, true", "stochastic_sampling, true",
        "_class_name, \"DDPMScheduler\"", "some_later_setting, 7", "base_shift, \"x\"", "max_shift, 11",
        "shift_terminal, 1", "shift_terminal, -0.1", "num_train_timesteps, 0", "base_image_seq_len, 8192",
        "max_image_seq_len, 1.5"})
    void aSettingThatWouldChangeTheScheduleIsRefusedByName(String setting, String value) {
        String complete = "{\"use_dynamic_shifting\": true, \"max_image_seq_len\": 8192, \"%s\": %s}";
        assertThatThrownBy(() -> read(complete.formatted(setting, value))).isInstanceOfSatisfying(UserMistake.class,
                mistake -> assertThat(mistake.problems()).singleElement().extracting(Problem::where).asString()
                        .contains(setting.equals("base_image_seq_len") ? "max_image_seq_len" : setting));
    }

    @Test
    void allProblemsOfAFileAreNamedAtOnce() {
        assertThatThrownBy(() -> read("{\"invert_sigmas\": true, \"base_shift\": []}")).isInstanceOfSatisfying(
                UserMistake.class, mistake -> assertThat(mistake.report())
                        .contains("3 problems", "invert_sigmas", "use_dynamic_shifting", "base_shift"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{", "null", "{\"base_shift\": NaN}", "\u0000"})
    void aBrokenFileIsTheUsersToMend(String text) {
        assertThatThrownBy(() -> read(text)).isInstanceOf(UserMistake.class);
    }

    @Test
    void anAbsentFileIsTheUsersToMend() {
        assertThatThrownBy(() -> FlowMatchConfig.read(folder.resolve("none.json"))).isInstanceOf(UserMistake.class)
                .hasMessageContaining("none.json");
    }

    private FlowMatchConfig read(String json) throws IOException {
        Path file = folder.resolve("scheduler_config.json");
        Files.writeString(file, json);
        return FlowMatchConfig.read(file);
    }
}
