package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import nocturne.cpu.CpuBackend;
import nocturne.recipe.BundleFacts;
import nocturne.recipe.RecipeReader;
import nocturne.tensor.Backend;
import nocturne.tensor.Loss;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Each loss reaches the adapter through the whole model, and what arrives there is its slope.
class LearnerLossTest {
    /// How far to go along the gradient: by a thousandth of the loss. Float32 then gives the difference to about 1e-3.
    private static final double REACH = 1e-3;

    @ParameterizedTest
    @CsvSource({"mse, SQUARED", "mae, ABSOLUTE", "pseudo_huber, PSEUDO_HUBER"})
    void recipesCallItByTheDialectsName(String word, Loss kind) {
        assertThat(Settings.loss(RecipeReader.in(BundleFacts.named("maya"))
                .read("train: {loss_type: %s}".formatted(word), "recipe.yaml").recipe())).isEqualTo(kind);
    }

    @ParameterizedTest
    @EnumSource(Loss.class)
    void theGradientIsTheSlopeOfTheLoss(Loss kind) {
        TrainingCase run = TrainingCase.all().stream().filter(it -> it.toString().equals("t2i")).findFirst()
                .orElseThrow();
        try (Backend backend = new CpuBackend(2)) {
            run.begin(kind, backend, (learner, lora, batch) -> {
                lora.clearGradients();
                double loss = learner.accumulate(batch, 1);
                float[] values = backend.toArray(lora.values());
                float[] gradient = backend.toArray(lora.gradients());
                double length = 0;
                for (float g : gradient) length += (double) g * g;
                length = Math.sqrt(length);
                assertThat(learner.evaluate(batch, lora.values())).isCloseTo(loss, within(1e-6 * loss));

                double far = REACH * loss / length;
                double[] beside = new double[2];
                for (int side = 0; side < 2; side++) {
                    float[] moved = values.clone();
                    for (int i = 0; i < moved.length; i++) {
                        moved[i] += (float) ((2 * side - 1) * far * gradient[i] / length);
                    }
                    backend.write(moved, lora.values());
                    beside[side] = learner.evaluate(batch, lora.values());
                }
                assertThat((beside[1] - beside[0]) / (2 * far)).isCloseTo(length, within(0.01 * length));
            });
        }
    }
}
