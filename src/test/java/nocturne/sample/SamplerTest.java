package nocturne.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import nocturne.problem.UserMistake;
import nocturne.qwen.FlowMatchConfig;
import nocturne.qwen.Grid;
import nocturne.qwen.PromptEmbedding;
import nocturne.sample.Conditions.Control;
import org.junit.jupiter.api.Test;

/// The loop alone, with models whose answers can be written down.
class SamplerTest {
    private static final FlowMatchConfig SCHEDULE = new FlowMatchConfig(0.5, 0.9, 256, 8192, 0.02, 1000);
    private static final Grid GRID = new Grid(2, 3);
    private static final int FEATURES = 64;
    private static final PromptEmbedding WANTED = new PromptEmbedding(1, 1, new float[] {1});
    private static final PromptEmbedding UNWANTED = new PromptEmbedding(1, 1, new float[] {-1});

    private final float[] noise = Painter.noise(3, 16, 4, 6);

    /// A model that knows the picture: its velocity is the straight line from there to here.
    private static Denoiser towards(float[] picture) {
        return (tokens, grids, sigma, prompt) -> {
            float[] velocity = new float[picture.length];
            for (int i = 0; i < velocity.length; i++) velocity[i] = (tokens[i] - picture[i]) / sigma;
            return velocity;
        };
    }

    private static Conditions conditions(Control... controls) {
        return new Conditions(WANTED, UNWANTED, List.of(controls));
    }

    private float[] sample(Denoiser denoiser, int steps, Guidance guidance, Conditions conditions) {
        return new Sampler(denoiser, SCHEDULE).sample(noise, GRID, steps, guidance, conditions, Sampler.Progress.NONE);
    }

    @Test
    void aModelThatKnowsThePictureIsFollowedThere() {
        float[] picture = Painter.noise(4, 16, 4, 6);
        for (int steps : new int[] {2, 5, 28}) {
            assertThat(sample(towards(picture), steps, Guidance.OFF, conditions()))
                    .as("%d steps", steps).containsExactly(picture, within(1e-5f));
        }
    }

    @Test
    void theNoiseGivenIsNotChanged() {
        float[] before = noise.clone();
        sample(towards(new float[noise.length]), 3, Guidance.OFF, conditions());
        assertThat(noise).isEqualTo(before);
    }

    @Test
    void withoutGuidanceTheNegativePromptIsNeverComputed() {
        List<PromptEmbedding> asked = new ArrayList<>();
        Denoiser denoiser = (tokens, grids, sigma, prompt) -> {
            asked.add(prompt);
            return new float[noise.length];
        };
        sample(denoiser, 3, new Guidance(1, true), conditions());
        sample(denoiser, 2, new Guidance(0, true), conditions());
        assertThat(asked).hasSize(5).containsOnly(WANTED);
        asked.clear();
        sample(denoiser, 2, new Guidance(1.5, true), conditions());
        assertThat(asked).containsExactly(WANTED, UNWANTED, WANTED, UNWANTED);
    }

    @Test
    void controlsStandUnchangedBehindTheTargetInEveryPass() {
        Control first = new Control(new Grid(1, 2), Painter.noise(5, 16, 2, 4));
        Control second = new Control(new Grid(2, 1), Painter.noise(6, 16, 4, 2));
        List<float[]> tails = new ArrayList<>();
        Denoiser scribbler = (tokens, grids, sigma, prompt) -> {
            assertThat(grids).containsExactly(GRID, first.grid(), second.grid());
            tails.add(Arrays.copyOfRange(tokens, noise.length, tokens.length));
            Arrays.fill(tokens, Float.NaN);
            return new float[noise.length];
        };
        float[] both = new float[first.packed().length + second.packed().length];
        System.arraycopy(first.packed(), 0, both, 0, first.packed().length);
        System.arraycopy(second.packed(), 0, both, first.packed().length, second.packed().length);
        assertThat(sample(scribbler, 3, new Guidance(4, false), conditions(first, second))).isEqualTo(noise);
        assertThat(tails).hasSize(6).allSatisfy(tail -> assertThat(tail).isEqualTo(both));
    }

    @Test
    void guidanceLeadsAwayFromTheNegativeAndKeepsTheLengthWhereAsked() {
        float[] positive = {3, 4, 0, 0, 0, 0};
        float[] negative = {3, 0, 0, 1, 0, 0};
        assertThat(new Guidance(2, false).combine(positive, negative, 2)).containsExactly(3, 8, 0, -1, 0, 0);
        float factor = (float) (5 / Math.sqrt(73));
        assertThat(new Guidance(2, true).combine(positive, negative, 2))
                .as("first token scaled to length 5, second to length 0, third has no direction")
                .containsExactly(new float[] {3 * factor, 8 * factor, 0, 0, 0, 0}, within(1e-6f));
    }

    @Test
    void progressSeesEveryStepAndMayStopTheLoop() {
        List<Integer> seen = new ArrayList<>();
        Sampler sampler = new Sampler(towards(new float[noise.length]), SCHEDULE);
        assertThatThrownBy(() -> sampler.sample(noise, GRID, 9, Guidance.OFF, conditions(), (done, steps, latents) -> {
            seen.add(done);
            assertThat(steps).isEqualTo(9);
            if (done == 4) throw new CancellationException("asked to stop");
        })).isInstanceOf(CancellationException.class);
        assertThat(seen).containsExactly(1, 2, 3, 4);
    }

    @Test
    void stepsThatCannotBeScheduledAreTheUsersMistake() {
        assertThatThrownBy(() -> sample(towards(noise), 1, Guidance.OFF, conditions())).isInstanceOf(UserMistake.class);
    }

    @Test
    void noiseDependsOnTheSeedAndIsStandardNormal() {
        float[] noise = Painter.noise(42, 16, 64, 64);
        assertThat(Painter.noise(42, 16, 64, 64)).isEqualTo(noise);
        assertThat(Painter.noise(43, 16, 64, 64)).isNotEqualTo(noise);
        double sum = 0;
        double squares = 0;
        for (float n : noise) {
            sum += n;
            squares += n * n;
        }
        // Five standard errors of 65 536 draws.
        assertThat(sum / noise.length).isCloseTo(0, within(5 / 256.0));
        assertThat(squares / noise.length).isCloseTo(1, within(5 * Math.sqrt(2) / 256));
        assertThat(FEATURES * 32 * 32).isEqualTo(noise.length);
    }

    @Test
    void sidesAreMultiplesOf32() {
        assertThatThrownBy(() -> new SampleRequest("a cat", "", 60, 96, 4, Guidance.OFF, 42, 1, List.of()))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
