package nocturne.memory;

import nocturne.problem.UserMistake;
import nocturne.qwen.Residency;

/// Chooses the plan of [MemoryPlan#within].
final class MemoryChoice {
    private static final int SLOTS = 2;
    private static final int ATTEMPTS = 3;

    private final MemoryCount count;
    private final int layers;
    private final long budget;

    MemoryChoice(MemoryCount count, Workload work, long budget) {
        this.count = count;
        this.layers = work.transformer().layers();
        this.budget = budget;
    }

    MemoryPlan plan() {
        MemoryPlan smallest = smallest();
        long weights = smallest.standing().coded() + smallest.standing().plain() + smallest.standing().ring()
                + smallest.standing().recovery();
        long others = smallest.standing().bytes() - weights + smallest.scratchBytes();
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            MemoryPlan made = beside(others, smallest.workBytes());
            if (made.runBytes() <= budget) return made;
            // Scratch memory depends a little on what comes and goes.
            others += made.runBytes() - budget;
        }
        return smallest;
    }

    /// @param others what is neither weights nor activations
    /// @param work   the least that activations take
    private MemoryPlan beside(long others, long work) {
        Residency residency = streaming(mostResident(budget - others - work));
        long left = budget - others - count.weights(residency);
        ActivationPlan activations = ActivationPlan.within(left, layers, plan -> count.work(plan, streaming(0)));
        return count.plan(residency, activations, budget);
    }

    /// @throws UserMistake `DEVICE_TOO_SMALL` if it does not fit
    MemoryPlan smallest() {
        MemoryPlan smallest = count.plan(streaming(0), count.least(), budget);
        if (smallest.runBytes() > budget) throw tooSmall(smallest);
        return smallest;
    }

    private static Residency streaming(int resident) {
        return new Residency(resident, SLOTS, true);
    }

    /// How many blocks may stay where their weights may take so much. When all do, the slots are smaller: those of the
    /// modulation layers alone.
    private int mostResident(long bytes) {
        if (count.weights(streaming(layers)) <= bytes) return layers;
        int low = 0;
        int high = layers - 1;
        while (low < high) {
            int middle = (low + high + 1) / 2;
            if (count.weights(streaming(middle)) <= bytes) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    private UserMistake tooSmall(MemoryPlan smallest) {
        StringBuilder words = new StringBuilder("%s may be used, and the run needs %s at least, if every block's"
                .formatted(MemoryTable.size(budget), MemoryTable.size(smallest.runBytes()))
                + " weights come and go and everything is computed again:");
        String between = " ";
        for (MemoryTable.Row row : MemoryTable.of(smallest)) {
            words.append(between).append(row.name()).append(' ').append(MemoryTable.size(row.bytes()));
            between = ", ";
        }
        return new UserMistake(MemoryPlan.TOO_SMALL, "memory of the device", words.append(". ")
                .append(remedy(smallest)).toString());
    }

    private static String remedy(MemoryPlan smallest) {
        if (smallest.need(Phase.SAMPLING).work() == smallest.workBytes()) {
            return "Sampling needs most: choose a smaller sample.width and sample.height, a lower network.linear,"
                    + " fewer bits (model.qtype), or a larger card.";
        }
        return "Any of these lowers the need: a smaller datasets[].resolution, a smaller train.batch_size, a lower"
                + " network.linear, fewer bits (model.qtype).";
    }
}
