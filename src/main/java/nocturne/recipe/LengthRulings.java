package nocturne.recipe;

import java.util.Optional;
import java.util.OptionalLong;

/// Decides how long a run is and how often it saves: rulings.
///
/// One step is one update. `steps` is the whole run and is never multiplied by `epochs`. Only in recipes that use the
/// older `gradient_accumulation_steps` do `steps` and all that is counted in them mean batches: there they are divided.
final class LengthRulings {
    private static final int SAVE_EVERY = 250;
    private static final int MOST_STEPS = 10_000_000;

    private final Section root;
    private final Section train;
    private final BundleFacts bundle;
    private final Findings findings;

    LengthRulings(Section root, BundleFacts bundle, Findings findings) {
        this.root = root;
        this.train = root.child(TrainKeys.BLOCK);
        this.bundle = bundle;
        this.findings = findings;
    }

    void apply() {
        readOlderAccumulation();
        decideSteps();
        decideSaving();
        train.drop(TrainKeys.EPOCHS);
    }

    private void readOlderAccumulation() {
        Optional<Integer> older = train.find(TrainKeys.ACCUMULATION_STEPS);
        if (older.isEmpty()) return;
        int batches = older.get();
        Key<Integer> key = TrainKeys.ACCUMULATION_STEPS;
        boolean both = train.isWritten(TrainKeys.ACCUMULATION) && train.get(TrainKeys.ACCUMULATION) > 1 && batches > 1;
        if (both) {
            findings.refuse(train, key,
                    "stands beside gradient_accumulation, and steps would mean two things; keep one.");
        } else if (batches > 1 || !train.isWritten(TrainKeys.ACCUMULATION)) {
            train.set(TrainKeys.ACCUMULATION, batches, train.origin(key).orElseThrow());
            if (batches > 1) divideSteps(batches);
        }
        train.drop(key);
    }

    private void divideSteps(int batches) {
        Key<Integer> key = TrainKeys.ACCUMULATION_STEPS;
        if (train.isWritten(TrainKeys.STEPS)) {
            int micro = train.get(TrainKeys.STEPS);
            findings.note("X-09", train, key,
                    "with this key steps: %d counts batches; the run makes %d updates of %d batches, and save_every, "
                            .formatted(micro, ceilDiv(micro, batches), batches)
                            + "sample_every and the like are divided in the same way.");
        } else {
            findings.note("X-09", train, key, "is read as gradient_accumulation: %d.".formatted(batches));
        }
        Section save = root.child(SaveKeys.BLOCK);
        Section sample = root.child(SampleKeys.BLOCK);
        divide(train, TrainKeys.STEPS, batches);
        divide(save, SaveKeys.SAVE_EVERY, batches);
        divide(sample, SampleKeys.SAMPLE_EVERY, batches);
        divide(sample, SampleKeys.START_STEP, batches);
        divide(train.child(TrainKeys.SCHEDULER_PARAMS), TrainKeys.WARMUP_STEPS, batches);
        divide(train.child(TrainKeys.VALIDATION), TrainKeys.VALIDATE_EVERY, batches);
    }

    private static void divide(Section section, Key<Integer> key, int batches) {
        if (!section.isWritten(key)) return;
        int written = section.get(key);
        section.set(key, ceilDiv(written, batches),
                new Origin.Derived("X-09", "%d batches / %d".formatted(written, batches)));
    }

    private void decideSteps() {
        Optional<Integer> epochs = train.find(TrainKeys.EPOCHS);
        if (epochs.isEmpty()) return;
        OptionalLong samples = EpochLength.of(root.children(DatasetKeys.BLOCK), bundle);
        long batchesPerStep = (long) train.get(TrainKeys.BATCH_SIZE) * train.get(TrainKeys.ACCUMULATION);
        boolean stepsWereWritten = train.origin(TrainKeys.STEPS).filter(Origin.Default.class::isInstance).isEmpty();
        if (stepsWereWritten) return;
        if (samples.isEmpty()) {
            findings.refuse(train, TrainKeys.EPOCHS,
                    "the pictures cannot be counted here, so train.steps is needed.");
            return;
        }
        long steps = Math.clamp(ceilDiv(samples.getAsLong() * epochs.get(), batchesPerStep), 1, MOST_STEPS);
        train.set(TrainKeys.STEPS, (int) steps, new Origin.Derived("X-08", "%d epochs x %d samples / %d a step"
                .formatted(epochs.get(), samples.getAsLong(), batchesPerStep)));
        findings.note("X-08", train, TrainKeys.EPOCHS,
                "%d epochs of %d samples, %d samples a step: %d steps."
                        .formatted(epochs.get(), samples.getAsLong(), batchesPerStep, steps));
    }

    private void decideSaving() {
        Section save = root.child(SaveKeys.BLOCK);
        int steps = train.get(TrainKeys.STEPS);
        if (save.find(SaveKeys.SAVE_EVERY).isEmpty()) {
            Optional<Integer> epochs = train.find(TrainKeys.EPOCHS);
            int every = epochs.isPresent() ? ceilDiv(steps, epochs.get()) : Math.min(SAVE_EVERY, steps);
            save.derive(SaveKeys.SAVE_EVERY, Math.clamp(every, 1, 1_000_000));
        }
    }

    private static int ceilDiv(int a, int b) {
        return Math.ceilDiv(a, b);
    }

    private static long ceilDiv(long a, long b) {
        return Math.ceilDiv(a, b);
    }
}
