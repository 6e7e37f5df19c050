package nocturne.recipe;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Decides which folders are trained and how: folders named `40_maya` count 40 times, a list of equal resolutions is
/// one, control folders come in two spellings.
final class DatasetRulings {
    private static final Pattern REPEATS_AND_NAME = Pattern.compile("([1-9]\\d{0,4})_(\\S+).*");

    private final Section root;
    private final BundleFacts bundle;
    private final Findings findings;

    DatasetRulings(Section root, BundleFacts bundle, Findings findings) {
        this.root = root;
        this.bundle = bundle;
        this.findings = findings;
    }

    void apply() {
        List<Section> datasets = root.children(DatasetKeys.BLOCK);
        if (datasets.isEmpty()) findFolders();
        Section train = root.child(TrainKeys.BLOCK);
        for (Section dataset : datasets) {
            if (dataset.isMissing(DatasetKeys.FOLDER)) {
                findings.refuse(dataset, DatasetKeys.FOLDER,
                        "is missing; the folder of the bundle that holds the pictures.");
            }
            // Refused already; a place holder lets the other rulings look for more problems.
            if (dataset.find(DatasetKeys.FOLDER).isEmpty()) dataset.derive(DatasetKeys.FOLDER, ".");
            decideRepeats(dataset);
            decideCaptions(dataset, train);
            decideResolutions(dataset);
            decideControls(dataset);
            decideWeight(dataset, train);
        }
        train.drop(TrainKeys.CAPTION_DROPOUT);
        train.drop(TrainKeys.REG_WEIGHT);
    }

    private void findFolders() {
        if (bundle.isListed() && bundle.datasetFolders().isEmpty()) {
            findings.refuse(root.at(), "datasets",
                    "the bundle holds no folder with pictures (.jpg, .jpeg, .png or .webp).");
        }
        List<String> found = bundle.datasetFolders();
        for (String folder : found.isEmpty() ? List.of(".") : found) {
            int index = root.children(DatasetKeys.BLOCK).size();
            Section dataset = new Section(DatasetKeys.BLOCK, "datasets[" + index + "]", root.at());
            dataset.derive(DatasetKeys.FOLDER, folder);
            root.put(dataset);
            if (!new Kind.BundlePath().parse(folder).equals(Optional.of(folder))) {
                findings.refuse(root.at(), dataset.path(),
                        "the folder %s has a name that a recipe cannot write; rename it."
                        .formatted(Shown.value(folder)));
            }
            refuseUnclear(folder);
            triggerFrom(folder);
        }
    }

    /// A dataset takes the folders inside it along, so pictures beside a folder that is meant otherwise need a word.
    private void refuseUnclear(String folder) {
        for (String inner : bundle.foldersInside(folder)) {
            boolean repeated = REPEATS_AND_NAME.matcher(BundleFacts.lastName(inner)).matches();
            if (!repeated && !BundleFacts.isAside(inner)) continue;
            findings.refuse(root.at(), "datasets", """
                    pictures lie beside the folder %s and would be trained together with it; put them into a folder of \
                    their own, or write datasets.""".formatted(Shown.value(inner)));
        }
    }

    /// A folder called `40_maya` names the trigger word where the recipe does not.
    private void triggerFrom(String folder) {
        Matcher named = REPEATS_AND_NAME.matcher(nameOf(folder));
        if (!named.matches() || root.find(RootKeys.TRIGGER_WORD).isPresent()) return;
        Key.TRIGGER.parse(named.group(2)).ifPresent(trigger -> {
            root.set(RootKeys.TRIGGER_WORD, trigger, new Origin.Derived("B9", "from the folder " + folder));
            findings.note("B9", "trigger_word", "%s, from the folder %s.".formatted(trigger, folder));
        });
    }

    /// What a dataset's folder is called; pictures at the bundle's top lie in a folder called like the bundle.
    private String nameOf(String folder) {
        return folder.equals(".") ? bundle.name() : BundleFacts.lastName(folder);
    }

    private void decideRepeats(Section dataset) {
        if (dataset.find(DatasetKeys.REPEATS).isPresent()) return;
        String folder = dataset.get(DatasetKeys.FOLDER);
        Matcher named = REPEATS_AND_NAME.matcher(nameOf(folder));
        int repeats = named.matches() ? Integer.parseInt(named.group(1)) : 0;
        dataset.derive(DatasetKeys.REPEATS, Math.max(1, repeats));
        if (repeats == 0) return;
        OptionalInt pictures = bundle.picturesIn(folder);
        long samples = (long) pictures.orElse(0) * repeats;
        String arithmetic = samples == 0 ? ""
                : ": %d x %d = %d samples an epoch".formatted(pictures.orElse(0), repeats, samples);
        findings.note("S2-41", dataset, DatasetKeys.FOLDER,
                "its name means num_repeats: %d%s.".formatted(repeats, arithmetic));
    }

    private void decideCaptions(Section dataset, Section train) {
        if (dataset.find(DatasetKeys.TRIGGER_WORD).isEmpty()) {
            root.find(RootKeys.TRIGGER_WORD).ifPresent(trigger -> dataset.derive(DatasetKeys.TRIGGER_WORD, trigger));
        }
        if (dataset.find(DatasetKeys.DEFAULT_CAPTION).filter(String::isEmpty).isPresent()) {
            dataset.drop(DatasetKeys.DEFAULT_CAPTION);
        }
        if (!dataset.isWritten(DatasetKeys.CAPTION_DROPOUT)) {
            train.find(TrainKeys.CAPTION_DROPOUT).ifPresent(rate ->
                    dataset.set(DatasetKeys.CAPTION_DROPOUT, rate,
                            train.origin(TrainKeys.CAPTION_DROPOUT).orElseThrow()));
        }
    }

    private void decideResolutions(Section dataset) {
        List<Integer> written = dataset.get(DatasetKeys.RESOLUTION);
        List<Integer> distinct = written.stream().distinct().toList();
        if (distinct.size() == written.size()) return;
        dataset.set(DatasetKeys.RESOLUTION, distinct, dataset.origin(DatasetKeys.RESOLUTION).orElseThrow());
        findings.note("S2-46", dataset, DatasetKeys.RESOLUTION,
                "a list means several sizes, not width and height; equal entries count once: %s."
                        .formatted(DatasetKeys.RESOLUTION.kind().print(distinct)));
    }

    private static void decideWeight(Section dataset, Section train) {
        if (!dataset.get(DatasetKeys.IS_REG)) return;
        train.find(TrainKeys.REG_WEIGHT).ifPresent(weight -> dataset.set(DatasetKeys.LOSS_MULTIPLIER,
                Math.clamp(weight * dataset.get(DatasetKeys.LOSS_MULTIPLIER), Double.MIN_NORMAL, 1000),
                new Origin.Derived("B6", "loss_multiplier x train.reg_weight")));
    }

    private void decideControls(Section dataset) {
        List<Key<String>> numbered =
                List.of(DatasetKeys.CONTROL_PATH_1, DatasetKeys.CONTROL_PATH_2, DatasetKeys.CONTROL_PATH_3);
        List<String> more = numbered.stream().flatMap(key -> dataset.find(key).stream()).toList();
        if (!more.isEmpty()) {
            Key<String> first = numbered.stream().filter(dataset::isWritten).findFirst().orElseThrow();
            List<String> all = Stream.concat(dataset.get(DatasetKeys.CONTROL_PATH).stream(), more.stream())
                    .distinct().toList();
            if (all.size() > DatasetRecipe.MOST_CONTROLS) {
                findings.refuse(dataset, first,
                        "makes %d control folders; at most %d.".formatted(all.size(), DatasetRecipe.MOST_CONTROLS));
            } else {
                dataset.set(DatasetKeys.CONTROL_PATH, all, dataset.origin(first).orElseThrow());
            }
        }
        numbered.forEach(dataset::drop);
    }
}
