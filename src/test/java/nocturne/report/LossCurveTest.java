package nocturne.report;

import static nocturne.report.LossHistoryTest.history;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import nocturne.image.Picture;
import nocturne.report.LossHistory.HeldOut;
import nocturne.report.LossHistory.Training;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class LossCurveTest {
    /// Below the legend and above the learning rate.
    private static final int TOP = 50;
    private static final int BOTTOM = 490;
    /// Pixels of step 0 and of the right end, which is a hundredth beyond the last step.
    private static final int PLOT_LEFT = 96;
    private static final int PLOT_RIGHT = 1232;

    static Stream<Arguments> oddHistories() {
        return Stream.of(
                Arguments.of("nothing", history(0, i -> 0)),
                Arguments.of("one point", history(1, i -> 0.7)),
                Arguments.of("one point at zero", history(1, i -> 0)),
                Arguments.of("one point that is NaN", history(1, i -> Double.NaN)),
                Arguments.of("only NaN", history(50, i -> Double.NaN)),
                Arguments.of("infinities", history(50, i -> i % 2 == 0 ? Double.POSITIVE_INFINITY : 0.5)),
                Arguments.of("always the same", history(50, i -> 0.5)),
                Arguments.of("negative", history(50, i -> -1 - i)),
                Arguments.of("tiny", history(50, i -> 1e-300 * i)),
                Arguments.of("huge", history(50, i -> 1e300 * i)),
                Arguments.of("zeros", history(50, i -> 0)),
                Arguments.of("held out alone", new LossHistory(List.of(), List.of(new HeldOut(0, 0.7)))),
                Arguments.of("far along",
                        new LossHistory(List.of(new Training(1_000_000_000_000L, 0.4, 0)), List.of())),
                Arguments.of("a long run", history(300_000, i -> 0.5 + 0.3 * Math.sin(i * 12.9898))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("oddHistories")
    void anyHistoryCanBeDrawn(String name, LossHistory history) {
        Picture curve = LossCurve.draw(history);
        assertThat(curve.width()).isEqualTo(1280);
        boolean drawable = history.training().stream().anyMatch(point -> Double.isFinite(point.loss()));
        assertThat(Box.count(plot(curve), Palette.TRAINING) > 0).as("a training curve is visible").isEqualTo(drawable);
    }

    @Test
    void aFallingLossFallsFromLeftToRight() {
        Picture plot = plot(LossCurve.draw(history(300, i -> 1 - i / 400.0)));
        Box curve = Box.of(plot, Palette.TRAINING);
        assertThat(row(plot, curve.left + 3)).isLessThan(row(plot, (curve.left + curve.right) / 2) - 50);
        assertThat(row(plot, (curve.left + curve.right) / 2)).isLessThan(row(plot, curve.right - 3) - 50);
    }

    @Test
    void aLossThatIsNotFiniteIsMarkedWhereItHappened() {
        Picture broken = plot(LossCurve.draw(history(401, i -> i == 200 ? Double.NaN : 0.5)));
        Box mark = Box.of(broken, Palette.ALARM);
        Box curve = Box.of(broken, Palette.TRAINING);
        int middle = (curve.left + curve.right) / 2;
        assertThat((mark.left + mark.right) / 2).isBetween(middle - 3, middle + 3);
        assertThat(Box.count(LossCurve.draw(history(401, i -> 0.5)), Palette.ALARM)).isZero();
    }

    /// The lowest fall of the smoothed curve outside the spike's window still takes most of the height.
    @Test
    void oneSpikeDoesNotFlattenTheRest() {
        Picture spiked = plot(LossCurve.draw(history(2000, i -> i == 1000 ? 20 : 1 - i / 2500.0)));
        Picture calm = plot(LossCurve.draw(history(2000, i -> 1 - i / 2500.0)));
        assertThat(Box.of(spiked, Palette.TRAINING).size()[1])
                .isGreaterThan(Box.of(calm, Palette.TRAINING).size()[1] * 2 / 3);
    }

    @Test
    void theLowestHeldOutLossIsRinged() {
        List<HeldOut> heldOut = new ArrayList<>();
        for (int step = 0; step <= 300; step += 50) heldOut.add(new HeldOut(step, 0.4 + Math.abs(step - 200) / 1000.0));
        Picture plot = plot(LossCurve.draw(new LossHistory(history(300, i -> 0.7).training(), heldOut)));
        int x = PLOT_LEFT + Math.round((PLOT_RIGHT - PLOT_LEFT) * 200 / 303f);
        int y = Box.of(plot, Palette.HELD_OUT).bottom;
        assertThat(Box.colour(plot, x, y)).as("the ring's lower rim").isEqualTo(Palette.HELD_OUT);
        assertThat(Box.colour(plot, x, y - 4)).as("air inside the ring").isNotEqualTo(Palette.HELD_OUT);
        assertThat(Box.colour(plot, x, y - 9)).as("the dot itself").isEqualTo(Palette.HELD_OUT);
    }

    @Test
    void withoutHeldOutPicturesNothingIsDrawnForThem() {
        assertThat(Box.count(LossCurve.draw(history(300, i -> 0.5)), Palette.HELD_OUT)).isZero();
    }

    @Test
    void theSameHistoryGivesTheSamePicture() {
        LossHistory history = history(500, i -> 0.5 + 0.3 * Math.sin(i * 12.9898));
        assertThat(LossCurve.draw(history).rgb()).isEqualTo(LossCurve.draw(history).rgb());
    }

    private static Picture plot(Picture curve) {
        byte[] rows = Arrays.copyOfRange(curve.rgb(), TOP * curve.width() * 3, BOTTOM * curve.width() * 3);
        return new Picture(curve.width(), BOTTOM - TOP, rows);
    }

    private static int row(Picture plot, int column) {
        for (int y = 0; y < plot.height(); y++) {
            if (Box.colour(plot, column, y) == Palette.TRAINING) return y;
        }
        throw new AssertionError("no curve in column " + column);
    }
}
