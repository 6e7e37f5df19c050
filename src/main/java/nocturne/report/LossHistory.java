package nocturne.report;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/// What was measured along the way.
///
/// @param training one point a step, steps ascending
/// @param heldOut  one point whenever pictures kept out of training were measured, steps ascending; may be empty
public record LossHistory(List<Training> training, List<HeldOut> heldOut) {
    /// @param step         1 is the first update
    /// @param loss         of this step's batches; not finite where training stumbled
    /// @param learningRate as applied in this step
    /// @param byNoise      the loss by how noisy the step's pictures were
    public record Training(long step, double loss, double learningRate, ByNoise byNoise) {
        /// With nothing known about the noise.
        public Training(long step, double loss, double learningRate) {
            this(step, loss, learningRate, ByNoise.UNKNOWN);
        }
    }

    /// Mean losses by thirds of the noise level, NaN where there was no such picture.
    ///
    /// @param high   levels from 2/3: what is learned there is composition
    /// @param middle from 1/3: features
    /// @param low    below: texture
    public record ByNoise(double high, double middle, double low) {
        static final ByNoise UNKNOWN = new ByNoise(Double.NaN, Double.NaN, Double.NaN);
    }

    /// @param step updates before the measurement, 0 is the untrained base
    /// @param loss mean over the held-out pictures and the fixed noise levels
    public record HeldOut(long step, double loss) {}

    /// The smoothed curve averages this share of the run around each step ...
    private static final int WINDOWS_PER_RUN = 25;
    /// ... but never more than this many steps to each side.
    private static final int WIDEST_HALF_WINDOW = 250;

    public LossHistory {
        training = List.copyOf(training);
        heldOut = List.copyOf(heldOut);
        for (int i = 1; i < training.size(); i++) ascending(training.get(i - 1).step(), training.get(i).step());
        for (int i = 1; i < heldOut.size(); i++) ascending(heldOut.get(i - 1).step(), heldOut.get(i).step());
    }

    private static void ascending(long before, long after) {
        if (after <= before) throw new IllegalArgumentException("step " + after + " after step " + before);
    }

    /// The measurement with the lowest held-out loss, the earlier one of two that are equal.
    public Optional<HeldOut> lowestHeldOut() {
        HeldOut lowest = null;
        for (HeldOut point : heldOut) {
            if (Double.isFinite(point.loss()) && (lowest == null || point.loss() < lowest.loss())) lowest = point;
        }
        return Optional.ofNullable(lowest);
    }

    /// For each training point the mean of the finite losses around it, NaN where there is none.
    ///
    /// The window is centred, so that the curve does not lag behind; at the ends it is cut off.
    public double[] smoothed() {
        int count = training.size();
        int half = Math.min(WIDEST_HALF_WINDOW, count / (2 * WINDOWS_PER_RUN));
        double[] sumBefore = new double[count + 1];
        int[] finiteBefore = new int[count + 1];
        for (int i = 0; i < count; i++) {
            double loss = training.get(i).loss();
            boolean finite = Double.isFinite(loss);
            sumBefore[i + 1] = sumBefore[i] + (finite ? loss : 0);
            finiteBefore[i + 1] = finiteBefore[i] + (finite ? 1 : 0);
        }
        double[] smoothed = new double[count];
        for (int i = 0; i < count; i++) {
            int from = Math.max(0, i - half);
            int to = Math.min(count, i + half + 1);
            smoothed[i] = (sumBefore[to] - sumBefore[from]) / (finiteBefore[to] - finiteBefore[from]);
        }
        return smoothed;
    }

    /// The mean losses by noise over a part of the run.
    ///
    /// @param from share of the run where the part begins, 0..1
    /// @param to   where it ends
    ByNoise byNoise(double from, double to) {
        List<ByNoise> part = training.subList((int) Math.floor(from * training.size()),
                (int) Math.ceil(to * training.size())).stream().map(Training::byNoise).toList();
        return new ByNoise(mean(part, ByNoise::high), mean(part, ByNoise::middle), mean(part, ByNoise::low));
    }

    private static double mean(List<ByNoise> part, ToDoubleFunction<ByNoise> third) {
        return part.stream().mapToDouble(third).filter(Double::isFinite).average().orElse(Double.NaN);
    }

    /// The file `loss.csv`: a heading, then a line for each step at which anything was measured.
    ///
    /// Numbers in their shortest exact form, `NaN` and `Infinity` spelled so; a field is empty where nothing was
    /// measured.
    public String csv() {
        SortedMap<Long, String[]> lines = new TreeMap<>();
        double[] smoothed = smoothed();
        for (int i = 0; i < training.size(); i++) {
            Training point = training.get(i);
            lines.put(point.step(), new String[] {Double.toString(point.loss()), Double.toString(smoothed[i]),
                    Double.toString(point.learningRate()), "", field(point.byNoise().high()),
                    field(point.byNoise().middle()), field(point.byNoise().low())});
        }
        for (HeldOut point : heldOut) {
            String[] fields = lines.computeIfAbsent(point.step(), _ -> new String[] {"", "", "", "", "", "", ""});
            fields[3] = Double.toString(point.loss());
        }
        StringBuilder csv = new StringBuilder("step,training_loss,smoothed_loss,learning_rate,held_out_loss,"
                + "high_noise_loss,middle_noise_loss,low_noise_loss\n");
        lines.forEach((step, fields) ->
                csv.append(String.format(Locale.ROOT, "%d,%s\n", step, String.join(",", fields))));
        return csv.toString();
    }

    private static String field(double measured) {
        return Double.isNaN(measured) ? "" : Double.toString(measured);
    }
}
