package nocturne.recipe;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Fills what follows from other values, and settles what the recipe's sources disagree about (section A3 of the
/// ledger). Afterwards every key that describes the run has its value, and keys that only steered a ruling are gone.
final class Rulings {
    private static final Pattern UNSAFE = Pattern.compile("[^A-Za-z0-9 ._-]");
    private static final int LONGEST_NAME = 80;

    private final Section root;
    private final BundleFacts bundle;
    private final Findings findings;

    Rulings(Section root, BundleFacts bundle, Findings findings) {
        this.root = root;
        this.bundle = bundle;
        this.findings = findings;
    }

    void apply() {
        new DatasetRulings(root, bundle, findings).apply();
        nameJob();
        decideUseCase();
        checkKnowledge();
        decideNetwork();
        decideModel();
        new LengthRulings(root, bundle, findings).apply();
        decideTraining();
        new SampleRulings(root, findings).apply();
        new ProbeRulings(root, findings).apply();
        decideMetadata();
    }

    private void nameJob() {
        if (root.find(RootKeys.NAME).isPresent()) return;
        String name = UNSAFE.matcher(bundle.name()).replaceAll("_");
        name = name.substring(0, Math.min(name.length(), LONGEST_NAME));
        name = name.replaceAll("^[^A-Za-z0-9]+", "").replaceAll("[^A-Za-z0-9]+$", "");
        root.derive(RootKeys.NAME, name.isEmpty() ? "lora" : name);
    }

    private void decideUseCase() {
        if (root.find(RootKeys.USE_CASE).isPresent()) return;
        boolean pairs = root.children(DatasetKeys.BLOCK).stream()
                .anyMatch(set -> !set.get(DatasetKeys.CONTROL_PATH).isEmpty());
        root.derive(RootKeys.USE_CASE, pairs ? UseCase.EDIT : UseCase.CHARACTER);
    }

    private void checkKnowledge() {
        List<Kind.Placed.Value<String>> asked = root.get(RootKeys.I_KNOW);
        List<Kind.Placed.Value<String>> ids = new ArrayList<>();
        for (Kind.Placed.Value<String> one : asked) {
            String id = one.value().toUpperCase(Locale.ROOT);
            if (!RuleBook.yieldsToKnowledge(id)) {
                findings.refuse(one.at(), RootKeys.I_KNOW.name(),
                        "%s is not the id of a rule that can be overridden; these can: %s."
                                .formatted(Shown.value(one.value()), String.join(", ", RuleBook.yieldingIds())));
            }
            ids.add(new Kind.Placed.Value<>(id, one.at()));
        }
        if (!ids.isEmpty()) root.set(RootKeys.I_KNOW, ids, root.origin(RootKeys.I_KNOW).orElseThrow());
    }

    private void decideNetwork() {
        Section network = root.child(NetworkKeys.BLOCK);
        int rank = network.get(NetworkKeys.RANK);
        if (network.find(NetworkKeys.ALPHA).isEmpty()) network.derive(NetworkKeys.ALPHA, (double) rank);
    }

    private void decideModel() {
        Section model = root.child(ModelKeys.BLOCK);
        if (model.find(ModelKeys.ARCH).isEmpty()) {
            model.derive(ModelKeys.ARCH, Architecture.named(model.get(ModelKeys.NAME_OR_PATH)));
        }
        if (model.find(ModelKeys.QUANTIZE_TE).isEmpty()) {
            model.derive(ModelKeys.QUANTIZE_TE, model.get(ModelKeys.QUANTIZE));
        }
        model.find(ModelKeys.RECOVERY).ifPresent(recovery -> {
            WeightFormat format = model.get(ModelKeys.QTYPE);
            if (format.recovery() != null && !format.recovery().equals(recovery)) {
                findings.refuse(model, ModelKeys.RECOVERY,
                        "%s disagrees with the adapter in qtype; keep one.".formatted(Shown.value(recovery)));
            }
            Kind.WeightFormatText kind = new Kind.WeightFormatText();
            kind.parse(format.type().spelling() + "|" + recovery).ifPresentOrElse(
                    whole -> model.set(ModelKeys.QTYPE, whole, model.origin(ModelKeys.RECOVERY).orElseThrow()),
                    () -> findings.refuse(model, ModelKeys.RECOVERY,
                            "is not a path."));
        });
        model.drop(ModelKeys.RECOVERY);
        if (model.get(ModelKeys.QTYPE_TE).recovery() != null) {
            findings.refuse(model, ModelKeys.QTYPE_TE, "names an adapter; those that recover a loss are for qtype.");
        }
    }

    private void decideTraining() {
        Section train = root.child(TrainKeys.BLOCK);
        if (train.get(TrainKeys.DTYPE) == Precision.F16) {
            findings.note("S2-48", Severity.WARNING, train.formerPosition(TrainKeys.DTYPE),
                    train.pathOf(TrainKeys.DTYPE), "float16 is too narrow for this model; bf16 is used.");
            train.set(TrainKeys.DTYPE, Precision.BF16, new Origin.Derived("S2-48", "float16 read as bf16"));
        }
        if (train.get(TrainKeys.MIN_DENOISING) >= train.get(TrainKeys.MAX_DENOISING)) {
            findings.refuse(train, TrainKeys.MIN_DENOISING,
                    "%d is not allowed; less than max_denoising_steps, which is %d."
                            .formatted(train.get(TrainKeys.MIN_DENOISING), train.get(TrainKeys.MAX_DENOISING)));
        }
        if (train.find(TrainKeys.FORCE_FIRST_SAMPLE).orElse(false)) {
            train.set(TrainKeys.SKIP_FIRST_SAMPLE, false, train.origin(TrainKeys.FORCE_FIRST_SAMPLE).orElseThrow());
        }
        train.drop(TrainKeys.FORCE_FIRST_SAMPLE);
        decideSchedule(train);
        decideValidation(train);
    }

    private void decideSchedule(Section train) {
        Section params = train.child(TrainKeys.SCHEDULER_PARAMS);
        Schedule schedule = train.get(TrainKeys.LR_SCHEDULER);
        Set<Key<?>> used = switch (schedule) {
            case CONSTANT -> Set.of();
            case CONSTANT_WITH_WARMUP -> Set.of(TrainKeys.WARMUP_STEPS);
            case LINEAR, COSINE -> Set.of(TrainKeys.WARMUP_STEPS, TrainKeys.ETA_MIN, TrainKeys.END_FACTOR);
            case COSINE_WITH_RESTARTS ->
                    Set.of(TrainKeys.WARMUP_STEPS, TrainKeys.ETA_MIN, TrainKeys.END_FACTOR, TrainKeys.CYCLES);
        };
        for (Key<?> key : params.block().keys()) {
            if (used.contains(key)) continue;
            if (params.isWritten(key)) {
                findings.note("B6", params, key, "is not used: the schedule is %s.".formatted(schedule.spelling()));
            }
            params.drop(key);
        }
        if (schedule == Schedule.CONSTANT) return;
        if (params.find(TrainKeys.WARMUP_STEPS).isEmpty()) {
            params.derive(TrainKeys.WARMUP_STEPS, schedule.isConstant() ? train.get(TrainKeys.STEPS) / 10 : 0);
        }
        if (schedule.isConstant()) return;
        decideFloor(train, params);
        if (schedule == Schedule.COSINE_WITH_RESTARTS && params.find(TrainKeys.CYCLES).isEmpty()) {
            params.derive(TrainKeys.CYCLES, 1);
        }
    }

    /// Where a falling rate ends: `eta_min` is a rate, `end_factor` the same as a share of the peak.
    private void decideFloor(Section train, Section params) {
        double peak = train.get(TrainKeys.LR);
        params.find(TrainKeys.END_FACTOR).ifPresent(share -> {
            if (params.find(TrainKeys.ETA_MIN).isPresent()) {
                findings.refuse(params, TrainKeys.END_FACTOR, "stands beside eta_min, which says the same; keep one.");
            }
            params.set(TrainKeys.ETA_MIN, share * peak, params.origin(TrainKeys.END_FACTOR).orElseThrow());
        });
        params.drop(TrainKeys.END_FACTOR);
        if (params.find(TrainKeys.ETA_MIN).isEmpty()) params.derive(TrainKeys.ETA_MIN, 0.0);
        double floor = params.get(TrainKeys.ETA_MIN);
        if (floor > peak) {
            findings.refuse(params, TrainKeys.ETA_MIN, "%s is not allowed; at most lr, which is %s."
                    .formatted(Numbers.print(floor), Numbers.print(peak)));
        }
    }

    private void decideValidation(Section train) {
        Section validation = train.child(TrainKeys.VALIDATION);
        Optional<String> heldOut = bundle.heldOutFolder();
        boolean ownDatasets = root.children(DatasetKeys.BLOCK).stream()
                .anyMatch(set -> set.isWritten(DatasetKeys.FOLDER));
        List<Section> items = validation.children(TrainKeys.VALIDATION_ITEM);
        for (Section item : items) {
            if (item.isMissing(TrainKeys.IMAGE_PATH)) {
                findings.refuse(item, TrainKeys.IMAGE_PATH, "is missing; a picture of the bundle.");
            }
        }
        if (validation.find(TrainKeys.VALIDATION_FOLDER).isEmpty() && items.isEmpty() && heldOut.isPresent()
                && !ownDatasets) {
            validation.derive(TrainKeys.VALIDATION_FOLDER, heldOut.get());
            findings.note("S1-66", validation.pathOf(TrainKeys.VALIDATION_FOLDER),
                    "the pictures in %s are kept out of training and measured.".formatted(heldOut.get()));
        }
        if (validation.find(TrainKeys.VALIDATION_FOLDER).isEmpty() && items.isEmpty()) {
            if (validation.block().keys().stream().anyMatch(validation::isWritten)) {
                findings.note("B6", validation.at(), validation.path(),
                        "is not used: it names no validation_folder and no validation_items.");
            }
            for (Key<?> key : validation.block().keys()) validation.drop(key);
            return;
        }
        if (validation.find(TrainKeys.VALIDATION_RESOLUTION).isEmpty()) {
            validation.derive(TrainKeys.VALIDATION_RESOLUTION,
                    root.children(DatasetKeys.BLOCK).getFirst().get(DatasetKeys.RESOLUTION).getFirst());
        }
        if (validation.find(TrainKeys.VALIDATE_EVERY).isEmpty()) {
            validation.derive(TrainKeys.VALIDATE_EVERY, root.child(SaveKeys.BLOCK).get(SaveKeys.SAVE_EVERY));
        }
    }

    private void decideMetadata() {
        Metadata meta = root.get(RootKeys.META).replacing("[name]", root.get(RootKeys.NAME))
                .replacing("[trigger]", root.find(RootKeys.TRIGGER_WORD).orElse("[trigger]"));
        boolean readable = meta.entries().values().stream()
                .allMatch(text -> text.length() <= 10_000 && !text.contains("${"));
        if (!readable) {
            findings.refuse(root.position(RootKeys.META), "meta",
                    "is too long once [trigger] and [name] are replaced.");
        }
        root.set(RootKeys.META, meta, root.origin(RootKeys.META).orElseThrow());
    }
}
