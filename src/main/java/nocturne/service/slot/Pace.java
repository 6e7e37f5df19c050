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
    private double meanLoss = Double.NaN;
    private double lossSum;
    private int losses;
    private int sinceSummary;

    static boolean isStep(EventLine line) {
        return line.type().equals(STEPPED);
    }

    void add(EventLine stepped) {
        step = stepped.data().path("step").asLong();
        steps = stepped.data().path("steps").asLong();
        double loss = stepped.data().path("loss").asDouble(Double.NaN);
        if (Double.isFinite(loss)) {
            lossSum += loss;
            losses++;
        }
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
        if (losses > 0) meanLoss = lossSum / losses;
        lossSum = 0;
        losses = 0;
        sinceSummary = 0;
        long eta = Math.round(pace * Math.max(0, steps - step));
        return new Event.Progressed(step, steps, meanLoss, pace, eta, vramBytes);
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
