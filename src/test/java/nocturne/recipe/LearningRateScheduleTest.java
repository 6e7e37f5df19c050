package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/// The schedules at points where the formula can be done by hand.
class LearningRateScheduleTest {
    @Test
    void warmUpStartsAtNothingAndArrivesAfterItsSteps() {
        LearningRateSchedule schedule = new LearningRateSchedule.ConstantWithWarmup(4);
        assertThat(schedule.factor(0, 100)).isEqualTo(0);
        assertThat(schedule.factor(1, 100)).isEqualTo(0.25);
        assertThat(schedule.factor(4, 100)).isEqualTo(1);
        assertThat(schedule.factor(99, 100)).isEqualTo(1);
        assertThat(new LearningRateSchedule.ConstantWithWarmup(0).factor(0, 100)).isEqualTo(1);
    }

    @Test
    void linearReachesItsEndAfterTheLastStep() {
        LearningRateSchedule schedule = new LearningRateSchedule.Linear(1, 0);
        assertThat(schedule.factor(0, 10)).isEqualTo(1);
        assertThat(schedule.factor(5, 10)).isEqualTo(0.5);
        assertThat(schedule.factor(10, 10)).isEqualTo(0);
        assertThat(schedule.factor(11, 10)).as("and stays").isEqualTo(0);
    }

    @Test
    void cosineIsHalfWayInTheMiddleAndFlatAtBothEnds() {
        LearningRateSchedule schedule = new LearningRateSchedule.Cosine(0.2);
        assertThat(schedule.factor(0, 100)).isEqualTo(1);
        assertThat(schedule.factor(50, 100)).isCloseTo(0.6, within(1e-12));
        assertThat(schedule.factor(100, 100)).isCloseTo(0.2, within(1e-12));
    }

    @Test
    void constantIsConstant() {
        assertThat(new LearningRateSchedule.Constant().factor(7, 10)).isEqualTo(1);
    }
}
