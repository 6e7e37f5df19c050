package nocturne.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import nocturne.image.Picture;
import nocturne.report.LossHistory.HeldOut;
import nocturne.report.LossHistory.Training;

/// The losses of a run as a picture: each step's loss faint, its running mean bold, held-out loss as dots joined by
/// a line, the learning rate on a strip below.
///
/// Any history can be drawn: none, one point, a million (each column of pixels then shows the lowest and the highest
/// loss that fall on it), losses that are not finite (counted, marked red at the top, and left out of the curves).
public final class LossCurve {
    private static final int WIDTH = 1280;
    private static final int HEIGHT = 680;
    private static final int SCALE = 2;
    private static final int LEFT = 96;
    private static final int RIGHT = WIDTH - 48;
    private static final int TOP = 64;
    private static final int BOTTOM = 480;
    private static final int STRIP_TOP = 536;
    private static final int STRIP_BOTTOM = 606;
    private static final int[] PLOT = {LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP};
    private static final int[] STRIP = {LEFT, STRIP_TOP - 4, RIGHT - LEFT, STRIP_BOTTOM - STRIP_TOP + 6};
    /// Of the single steps' losses, so many may run out of the top or bottom so that one spike does not flatten all.
    private static final double OUTLIERS = 0.005;

    private final LossHistory history;
    private final double[] smoothed;
    private final Canvas canvas = new Canvas(WIDTH, HEIGHT, Palette.PAPER);
    private final Axis steps;
    private final Axis losses;
    private final Axis rates;

    private LossCurve(LossHistory history) {
        this.history = history;
        this.smoothed = history.smoothed();
        this.steps = stepAxis();
        this.losses = lossAxis();
        this.rates = rateAxis();
    }

    public static Picture draw(LossHistory history) {
        return new LossCurve(history).draw();
    }

    private Picture draw() {
        grid();
        if (history.training().isEmpty() && history.heldOut().isEmpty()) {
            canvas.textAround("nothing was measured", (LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2, SCALE, Palette.MUTED);
        }
        int broken = training();
        heldOut();
        learningRate();
        legend(broken);
        return canvas.picture();
    }

    private void grid() {
        for (double tick : losses.ticks()) {
            int y = (int) Math.round(losses.pixel(tick));
            canvas.fill(LEFT, y, RIGHT - LEFT, 1, Palette.HAIRLINE, 1);
            canvas.textLeftOf(losses.label(tick), LEFT - 12, y - Letters.CAPITAL * SCALE / 2, SCALE, Palette.MUTED);
        }
        for (double tick : steps.ticks()) {
            if (tick != Math.rint(tick)) continue;                     // there is no half a step
            int x = (int) Math.round(steps.pixel(tick));
            canvas.fill(x, TOP, 1, BOTTOM - TOP, Palette.HAIRLINE, 1);
            canvas.fill(x, STRIP_TOP, 1, STRIP_BOTTOM - STRIP_TOP, Palette.HAIRLINE, 1);
            canvas.textAround(Long.toString((long) tick), x, STRIP_BOTTOM + 14, SCALE, Palette.MUTED);
        }
        canvas.fill(LEFT, BOTTOM, RIGHT - LEFT, 2, Palette.MUTED, 1);
        canvas.fill(LEFT, STRIP_BOTTOM, RIGHT - LEFT, 2, Palette.MUTED, 1);
        canvas.textLeftOf("step", RIGHT, STRIP_BOTTOM + 44, SCALE, Palette.INK);
        canvas.text("learning rate", LEFT, STRIP_TOP - 30, SCALE, Palette.INK);
        canvas.textLeftOf(Axis.scientific(rates.high()), LEFT - 12, STRIP_TOP - 6, SCALE, Palette.MUTED);
        canvas.textLeftOf("0", LEFT - 12, STRIP_BOTTOM - 12, SCALE, Palette.MUTED);
    }

    /// @return how many losses were not finite
    private int training() {
        List<Training> points = history.training();
        double[] raw = points.stream().mapToDouble(Training::loss).toArray();
        int broken = 0;
        for (int i = 0; i < raw.length; i++) {
            if (Double.isFinite(raw[i])) continue;
            broken++;
            canvas.fill((int) Math.round(steps.pixel(points.get(i).step())) - 1, TOP, 3, 10, Palette.ALARM, 1);
        }
        for (double[][] piece : pieces(raw, true)) canvas.line(piece, 1.4, Palette.TRAINING, 0.3, PLOT);
        for (double[][] piece : pieces(smoothed, false)) canvas.line(piece, 3.4, Palette.TRAINING, 1, PLOT);
        if (points.size() - broken == 1) {
            for (double[][] piece : pieces(raw, true)) {
                canvas.ring(piece[0][0], piece[0][1], -1, 6, Palette.TRAINING);
            }
        }
        return broken;
    }

    /// The curve through the finite values, in pixels, broken where a value is not finite.
    ///
    /// Where many steps share a column of pixels, the column is a stroke from their highest to their lowest value
    /// (`extremes`) or a point at their mean: nothing is lost to the eye, and a long run draws as fast as a short one.
    private List<double[][]> pieces(double[] values, boolean extremes) {
        List<double[][]> pieces = new ArrayList<>();
        List<double[]> piece = new ArrayList<>();
        int i = 0;
        while (i < values.length) {
            if (!Double.isFinite(values[i])) {
                if (!piece.isEmpty()) pieces.add(piece.toArray(double[][]::new));
                piece.clear();
                i++;
                continue;
            }
            double x = steps.pixel(history.training().get(i).step());
            double lowest = values[i];
            double highest = values[i];
            double sum = 0;
            int count = 0;
            while (i < values.length && Double.isFinite(values[i])
                    && (int) steps.pixel(history.training().get(i).step()) == (int) x) {
                lowest = Math.min(lowest, values[i]);
                highest = Math.max(highest, values[i]);
                sum += values[i++];
                count++;
            }
            if (extremes && count > 1) {
                piece.add(new double[] {x, losses.pixel(highest)});
                piece.add(new double[] {x, losses.pixel(lowest)});
            } else {
                piece.add(new double[] {x, losses.pixel(sum / count)});
            }
        }
        if (!piece.isEmpty()) pieces.add(piece.toArray(double[][]::new));
        return pieces;
    }

    private void heldOut() {
        List<double[]> line = new ArrayList<>();
        for (HeldOut point : history.heldOut()) {
            if (!Double.isFinite(point.loss())) continue;
            line.add(new double[] {steps.pixel(point.step()), losses.pixel(point.loss())});
        }
        canvas.line(line.toArray(double[][]::new), 2.6, Palette.HELD_OUT, 1, PLOT);
        // With very many measurements the dots would hide the line.
        if (line.size() <= 80) for (double[] dot : line) canvas.ring(dot[0], dot[1], -1, 4.5, Palette.HELD_OUT);
        history.lowestHeldOut().ifPresent(lowest -> canvas.ring(steps.pixel(lowest.step()),
                losses.pixel(lowest.loss()), 8, 10.5, Palette.HELD_OUT));
    }

    private void learningRate() {
        List<double[]> line = new ArrayList<>();
        int lastColumn = -1;
        for (Training point : history.training()) {
            double x = steps.pixel(point.step());
            if ((int) x == lastColumn || !Double.isFinite(point.learningRate())) continue;
            lastColumn = (int) x;
            line.add(new double[] {x, rates.pixel(point.learningRate())});
        }
        canvas.line(line.toArray(double[][]::new), 2.6, Palette.LEARNING_RATE, 1, STRIP);
        if (line.size() == 1) canvas.ring(line.getFirst()[0], line.getFirst()[1], -1, 6, Palette.LEARNING_RATE);
    }

    private void legend(int broken) {
        int x = LEFT;
        if (!history.training().isEmpty()) {
            canvas.fill(x, 30, 28, 3, Palette.TRAINING, 0.4);
            x = label("training loss", x + 36);
            canvas.fill(x, 29, 28, 5, Palette.TRAINING, 1);
            x = label("smoothed", x + 36);
        }
        if (!history.heldOut().isEmpty()) {
            canvas.fill(x, 30, 28, 3, Palette.HELD_OUT, 1);
            canvas.ring(x + 14, 31.5, -1, 4.5, Palette.HELD_OUT);
            String lowest = history.lowestHeldOut().map(point -> String.format(Locale.ROOT,
                    "held-out loss, lowest %.4f at step %d", point.loss(), point.step())).orElse("held-out loss");
            x = label(lowest, x + 36);
        }
        if (broken > 0) {
            canvas.fill(x, 27, 3, 10, Palette.ALARM, 1);
            label("not finite: " + broken, x + 12);
        }
    }

    private int label(String text, int x) {
        canvas.text(text, x, 24, SCALE, Palette.INK);
        return x + Letters.width(text) * SCALE + 32;
    }

    private Axis stepAxis() {
        long first = Long.MAX_VALUE;
        long last = Long.MIN_VALUE;
        if (!history.training().isEmpty()) {
            first = history.training().getFirst().step();
            last = history.training().getLast().step();
        }
        if (!history.heldOut().isEmpty()) {
            first = Math.min(first, history.heldOut().getFirst().step());
            last = Math.max(last, history.heldOut().getLast().step());
        }
        if (first > last) return Axis.over(0, 1, LEFT, RIGHT, 2);
        if (first == last) return Axis.over(first - 1, last + 1, LEFT, RIGHT, 2);
        // A run from its beginning starts at the axis, and a little air keeps the last point off the edge.
        double from = first <= 1 ? 0 : first;
        return Axis.over(from, last + 0.01 * (last - from), LEFT, RIGHT, 8);
    }

    private Axis lossAxis() {
        double[] single = history.training().stream().mapToDouble(Training::loss).filter(Double::isFinite).sorted()
                .toArray();
        int outliers = (int) (single.length * OUTLIERS);
        DoubleStream shown = single.length == 0 ? DoubleStream.empty()
                : DoubleStream.of(single[outliers], single[single.length - 1 - outliers]);
        double[] all = DoubleStream.concat(shown, DoubleStream.concat(Arrays.stream(smoothed),
                history.heldOut().stream().mapToDouble(HeldOut::loss))).filter(Double::isFinite).toArray();
        double low = Arrays.stream(all).min().orElse(0);
        double high = Arrays.stream(all).max().orElse(1);
        // Losses are compared with nothing at all: from zero, unless that would waste most of the height.
        if (low >= 0 && low < 0.4 * high) low = 0;
        double air = high > low ? 0.06 * (high - low) : Math.max(0.1 * Math.abs(high), 1e-3);
        return Axis.over(low == 0 && high > 0 ? 0 : low - air, high + air, BOTTOM, TOP, 8);
    }

    private Axis rateAxis() {
        double highest = history.training().stream().mapToDouble(Training::learningRate).filter(Double::isFinite)
                .max().orElse(0);
        return Axis.over(0, highest > 0 ? highest : 1, STRIP_BOTTOM, STRIP_TOP, 1);
    }
}
