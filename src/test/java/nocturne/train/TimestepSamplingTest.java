package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import nocturne.problem.UserMistake;
import nocturne.qwen.FlowMatchConfig;
import nocturne.qwen.FlowMatchSchedule;
import nocturne.tensor.Philox;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TimestepSamplingTest {
    private static final FlowMatchConfig QWEN = new FlowMatchConfig(0.5, 0.9, 256, 8192, 0.02, 1000);
    private static final Philox STREAM = Philox.stream(1, "timesteps", 0, 0);

    @ParameterizedTest
    @EnumSource
    void aDrawIsAFunctionOfItsStream(TimestepType type) {
        TimestepSampling sampling = TimestepSampling.of(type, TimestepBias.CONTENT, QWEN);
        assertThat(sampling.draw(STREAM, 8, 1024)).isEqualTo(sampling.draw(STREAM, 8, 1024));
        if (type == TimestepType.ONE_STEP) return;
        assertThat(sampling.draw(Philox.stream(1, "timesteps", 0, 1), 8, 1024))
                .isNotEqualTo(sampling.draw(STREAM, 8, 1024));
    }

    @ParameterizedTest
    @EnumSource
    void aSampleIsDrawnAlikeWhateverTheBatchSize(TimestepType type) {
        TimestepSampling sampling = TimestepSampling.of(type, TimestepBias.BALANCED, QWEN);
        assertThat(sampling.draw(STREAM, 8, 1024).subList(0, 3)).isEqualTo(sampling.draw(STREAM, 3, 1024));
    }

    @ParameterizedTest
    @EnumSource
    void onlyWeightedSamplingWeighs(TimestepType type) {
        float[] expected = TimestepTables.empiricalWeights();
        for (Timestep drawn : TimestepSampling.of(type, TimestepBias.STYLE, QWEN).draw(STREAM, 200, 1024)) {
            assertThat(drawn.lossWeight()).isEqualTo(type == TimestepType.WEIGHTED ? expected[drawn.index()] : 1);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SIGMOID", "SHIFT", "LINEAR"})
    void theLegacyFlagsWeighTheLinearTable(TimestepType type) {
        for (BellWeights bell : List.of(BellWeights.BELL, BellWeights.HALF_BELL)) {
            TimestepSampling sampling = new TimestepSampling(type, TimestepBias.BALANCED, bell, 0, 999, 8, QWEN);
            float[] expected = TimestepTables.bell(bell == BellWeights.HALF_BELL);
            for (Timestep drawn : sampling.draw(STREAM, 200, 1024)) {
                assertThat(drawn.t()).isEqualTo((1000 - drawn.index()) / 1000f);
                assertThat(drawn.lossWeight()).isEqualTo(expected[drawn.index()]);
            }
        }
    }

    @Test
    void theBellHasMeanOne() {
        double sum = 0;
        for (float weight : TimestepTables.bell(false)) sum += weight;
        assertThat(sum / 1000).isCloseTo(1, within(1e-6));
    }

    @Test
    void theShiftFollowsTheTokensOfTheBatch() {
        TimestepSampling sampling = TimestepSampling.of(TimestepType.SHIFT, TimestepBias.BALANCED, QWEN);
        List<Timestep> small = sampling.draw(STREAM, 50, 256);
        List<Timestep> large = sampling.draw(STREAM, 50, 4096);
        for (int i = 0; i < small.size(); i++) {
            assertThat(large.get(i).index()).isEqualTo(small.get(i).index());
            if (small.get(i).index() > 0) assertThat(large.get(i).t()).isGreaterThan(small.get(i).t());
        }
    }

    @Test
    void nextSampleTrainsOneEntryFurtherDownItsTable() {
        TimestepSampling sampling = TimestepSampling.of(TimestepType.NEXT_SAMPLE, TimestepBias.BALANCED, QWEN);
        float[] table = FlowMatchSchedule.trainingTimesteps(QWEN, 8, 1024);
        for (Timestep drawn : sampling.draw(STREAM, 100, 1024)) {
            assertThat(drawn.t()).isEqualTo(table[drawn.index()] / 1000);
            assertThat(sampling.following(drawn, 1024)).isEqualTo(table[drawn.index() + 1] / 1000).isPositive();
        }
        TimestepSampling linear = TimestepSampling.of(TimestepType.LINEAR, TimestepBias.BALANCED, QWEN);
        assertThatThrownBy(() -> linear.following(new Timestep(1, 0, 1), 1024))
                .isInstanceOf(IllegalStateException.class);
    }

    @ParameterizedTest
    @EnumSource
    void aWindowOfOneIndexDrawsThatIndex(TimestepBias bias) {
        var sampling = new TimestepSampling(TimestepType.LINEAR, bias, BellWeights.NONE, 700, 700, 8, QWEN);
        assertThat(sampling.draw(STREAM, 100, 1024)).extracting(Timestep::index).containsOnly(700);
    }

    @Test
    void anImpossibleWindowIsRefused() {
        for (int[] window : new int[][] {{-1, 5}, {5, 4}, {0, 1000}}) {
            assertThatThrownBy(() -> new TimestepSampling(TimestepType.LINEAR, TimestepBias.STYLE, BellWeights.NONE,
                    window[0], window[1], 8, QWEN)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> new TimestepSampling(TimestepType.LINEAR, TimestepBias.STYLE, BellWeights.NONE,
                0, 999, 2, QWEN)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aModelWithAnotherScaleOfTimestepsIsRefusedByName() {
        FlowMatchConfig other = new FlowMatchConfig(0.5, 0.9, 256, 8192, 0.02, 500);
        assertThatThrownBy(() -> TimestepSampling.of(TimestepType.LINEAR, TimestepBias.BALANCED, other))
                .isInstanceOf(UserMistake.class).hasMessageContaining("num_train_timesteps");
    }
}
