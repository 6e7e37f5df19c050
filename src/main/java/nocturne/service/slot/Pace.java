package nocturne.service.slot;

import java.util.Arrays;
import nocturne.event.Event;
import nocturne.event.EventLine;

/// How fast a trainer steps and how its loss goes, from the steps of its own log.
final class Pace {
    private static final int REMEMBERED = 101;
    private static final String STEPPED = "nocturne.job.stepped.v1";

    private final double[] seconds = new double[REMEMBERED];
    private int counted;
    private long step;
    private long steps;
    private int microSteps = 1;
    private final Mean loss = new Mean();
    private final Mean highNoise = new Mean();
    private final Mean middleNoise = new Mean();
    private final Mean lowNoise = new Mean();
    private int sinceSummary;

    static boolean isStep(EventLine line) {
        return line.type().equals(STEPPED);
    }

    void add(EventLine stepped) {
        step = stepped.data().path("step").asLong();
        steps = stepped.data().path("steps").asLong();
        microSteps = stepped.data().path("microSteps").asInt(1);
        loss.add(stepped, "loss");
        highNoise.add(stepped, "lossByNoise/high");
        middleNoise.add(stepped, "lossByNoise/middle");
        lowNoise.add(stepped, "lossByNoise/low");
        seconds[counted % REMEMBERED] = stepped.data().path("secondsPerStep").asDouble();
        counted++;
        sinceSummary++;
    }

    /// The last step made, 0 if none.
    long step() {
        return step;
    }

    /// Whether steps were made since the last summary.
    boolean hasNews() {
        return sinceSummary > 0;
    }

    /// The usual step, 0 if none was made. The median, because now and then one lasts long for reasons of its own.
    double secondsPerStep() {
        return median(Math.min(counted, REMEMBERED));
    }

    /// What happened since the one before; the same again if nothing did.
    Event.Progressed summary(long vramBytes) {
        double pace = median(Math.min(sinceSummary == 0 ? counted : sinceSummary, REMEMBERED));
        sinceSummary = 0;
        long eta = Math.round(pace * Math.max(0, steps - step));
        return new Event.Progressed(step, steps, loss.taken(), pace, eta, vramBytes, microSteps,
                new Event.LossByNoise(highNoise.taken(), middleNoise.taken(), lowNoise.taken()));
    }

    /// Of a field of some steps, as far as it was there.
    private static final class Mean {
        private double sum;
        private int count;
        private double last = Double.NaN;

        void add(EventLine stepped, String field) {
            double value = stepped.data().at("/" + field).asDouble(Double.NaN);
            if (!Double.isFinite(value)) return;
            sum += value;
            count++;
        }

        /// The mean since it was taken before; the same again where nothing came.
        double taken() {
            if (count > 0) last = sum / count;
            sum = 0;
            count = 0;
            return last;
        }
    }

    /// Of the newest ones.
    private double median(int count) {
        if (count == 0) return 0;
        double[] sorted = new double[count];
        for (int i = 0; i < count; i++) sorted[i] = seconds[(counted - 1 - i) % REMEMBERED];
        Arrays.sort(sorted);
        return sorted[count / 2];
    }
}
