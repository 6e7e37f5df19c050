package nocturne.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import nocturne.dataset.ChosenPictures.Chosen;
import nocturne.dataset.FolderListing.Entry;
import nocturne.image.Background;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// One pass over all dataset folders, which keeps going after a problem so that all of them are told together.
final class DatasetScan {
    private static final Pattern SIDES = Pattern.compile("\\b(left|right)\\b", Pattern.CASE_INSENSITIVE);
    private static final double NOTABLE_CROP = 0.10;

    private final PictureScan pictures;
    private final List<Sample> samples = new ArrayList<>();
    private final List<Problem> problems = new ArrayList<>();
    private final Notices notices = new Notices();
    private final List<FoundFolder> folders = new ArrayList<>();
    private final Map<Path, ControlFolder> controlFolders = new LinkedHashMap<>();

    DatasetScan(SeenPictures seen, Patience patience) {
        this.pictures = new PictureScan(seen, patience);
    }

    void add(DatasetSpec spec) {
        Optional<FolderListing> listing = list(spec.folder(), Set.copyOf(realPaths(spec.controlFolders())));
        List<ControlFolder> controls = new ArrayList<>();
        for (Path folder : spec.controlFolders()) {
            controlFolder(folder, spec.controlBackground()).ifPresent(controls::add);
        }
        if (listing.isEmpty()) return;
        FolderListing folder = listing.get();
        Map<String, Entry> targets = byStem(folder, Entry::isPicture);
        if (targets.isEmpty()) {
            problem(folder.name(), "holds no pictures (PNG, JPEG or WebP)");
            return;
        }
        foreignPictures(folder);
        Map<String, String> written = captions(folder, targets, spec);
        Map<Entry, TrainingPicture> sound =
                pictures.check(List.copyOf(targets.values()), Background.WHITE, problems);
        Map<Entry, List<TrainingPicture>> partners = partners(targets.values(), controls);
        int repeats = repeats(folder, spec);
        List<Integer> resolutions = distinct(folder, spec.resolutions());
        List<Flip> flips = Flip.copies(spec.flipX(), spec.flipY());
        folders.add(new FoundFolder(folder.name(), found(sound, written), repeats, flips.size(), resolutions,
                spec.buckets(), spec.regularisation(), spec.triggerWord(), spec.tag()));
        for (int resolution : resolutions) {
            sound.forEach((entry, picture) -> {
                Placement placement = place(folder, entry, picture, resolution, spec.buckets());
                for (Flip flip : flips) {
                    samples.add(new Sample(picture, resolution, placement, flip,
                            prompt(written.getOrDefault(entry.stem(), ""), spec), spec.captionDropoutRate(),
                            partners.getOrDefault(entry, List.of()), repeats,
                            spec.regularisation(), spec.lossMultiplier()));
                }
            });
        }
    }

    void add(ChosenPictures chosen) {
        Map<Entry, String> captions = new LinkedHashMap<>();
        for (Chosen picture : chosen.pictures()) {
            // One picture may be named twice, with different words.
            Entry entry = FolderListing.entry(picture.file(), picture.label(), captions.size() + "/" + picture.label());
            if (!Files.isRegularFile(picture.file())) problem(picture.label(), "there is no such file");
            else if (!entry.isPicture()) problem(picture.label(), "is no PNG, JPEG or WebP");
            else captions.put(entry, Captions.oneLine(picture.caption()));
        }
        List<FoundPicture> found = new ArrayList<>();
        pictures.check(List.copyOf(captions.keySet()), Background.WHITE, problems).forEach((entry, picture) -> {
            String caption = captions.getOrDefault(entry, "");
            found.add(new FoundPicture(entry.label(), picture, true, caption, pictures.lookOf(entry)));
            Placement placement = Buckets.fit(picture.width(), picture.height(), chosen.resolution());
            samples.add(new Sample(picture, chosen.resolution(), placement, Flip.NONE,
                    Captions.withTrigger(caption, chosen.triggerWord(), true), 0, List.of(), 1, false, 1));
        });
        if (found.isEmpty()) return;
        folders.add(new FoundFolder(chosen.name(), found, 1, 1, List.of(chosen.resolution()), true, false,
                chosen.triggerWord(), ""));
    }

    Dataset finish() {
        for (ControlFolder folder : controlFolders.values()) {
            for (Entry entry : folder.unused()) {
                problem(entry.label(), "is a control picture without a picture of the same name to train");
            }
        }
        if (samples.isEmpty() && problems.isEmpty()) problem("", "There is no dataset to train on.");
        if (!problems.isEmpty()) {
            throw new UserMistake("The dataset has %d problem%s; no training time was spent."
                    .formatted(problems.size(), problems.size() == 1 ? "" : "s"), problems);
        }
        return new Dataset(samples, notices.sentences(), folders);
    }

    private Optional<FolderListing> list(Path folder, Set<Path> left) {
        try {
            if (!Files.exists(folder)) {
                problem(folder.toString(), "there is no such folder");
            } else if (!Files.isDirectory(folder)) {
                problem(folder.toString(), "is not a folder");
            } else {
                return Optional.of(FolderListing.of(folder, left));
            }
        } catch (IOException e) {
            problem(folder.toString(), "cannot be listed: " + e.getMessage());
        }
        return Optional.empty();
    }

    /// Without those that do not exist: they are told of when the control folder itself is listed.
    private static Set<Path> realPaths(List<Path> folders) {
        Set<Path> real = new LinkedHashSet<>();
        for (Path folder : folders) {
            if (!Files.isDirectory(folder)) continue;
            try {
                real.add(folder.toRealPath());
            } catch (IOException e) {
                real.add(folder.toAbsolutePath().normalize());
            }
        }
        return real;
    }

    /// Two datasets may share a control folder; a control picture then needs a partner in only one of them.
    private Optional<ControlFolder> controlFolder(Path folder, Background background) {
        Path key = folder.toAbsolutePath().normalize();
        ControlFolder known = controlFolders.get(key);
        if (known != null) return Optional.of(known);
        Optional<FolderListing> listing = list(folder, Set.of());
        listing.ifPresent(found -> {
            foreignPictures(found);
            Map<String, Entry> entries = byStem(found, Entry::isPicture);
            controlFolders.put(key, new ControlFolder(found.name(), entries,
                    pictures.check(List.copyOf(entries.values()), background, problems)));
        });
        return Optional.ofNullable(controlFolders.get(key));
    }

    /// Entries by stem; a second one with the same stem could be meant by no caption and no control, and is a problem.
    private Map<String, Entry> byStem(FolderListing folder, Predicate<Entry> wanted) {
        Map<String, Entry> byStem = new LinkedHashMap<>();
        for (Entry entry : folder.entries()) {
            if (!wanted.test(entry)) continue;
            Entry first = byStem.putIfAbsent(entry.stem(), entry);
            if (first != null) {
                problem(entry.label(), "has the same name as %s but for the ending; rename one of them"
                        .formatted(first.file().getFileName()));
            }
        }
        return byStem;
    }

    private void foreignPictures(FolderListing folder) {
        for (Entry entry : folder.entries()) {
            if (entry.isForeignPicture()) {
                problem(entry.label(), "%s pictures are not read; save it as PNG, JPEG or WebP, or take it out"
                        .formatted(entry.extension().toUpperCase(Locale.ROOT)));
            }
        }
    }

    /// What the caption files say, by their pictures' stems; empty where there is nothing in one.
    private Map<String, String> captions(FolderListing folder, Map<String, Entry> targets, DatasetSpec spec) {
        String extension = spec.captionExtension().toLowerCase(Locale.ROOT);
        Map<String, Entry> files = byStem(folder, entry -> entry.extension().equals(extension));
        Set<String> foreign = new HashSet<>();
        for (Entry entry : folder.entries()) if (entry.isForeignPicture()) foreign.add(entry.stem());
        for (Entry file : files.values()) {
            if (!targets.containsKey(file.stem()) && !foreign.contains(file.stem())) {
                problem(file.label(), "is a caption without a picture of the same name");
            }
        }
        Map<String, String> captions = new LinkedHashMap<>();
        for (Entry target : targets.values()) {
            String text = "";
            Entry file = files.get(target.stem());
            try {
                if (file != null) text = Captions.read(file.file());
            } catch (Captions.Unusable e) {
                problem(file.label(), String.valueOf(e.getMessage()));
            }
            if (spec.flipX() && SIDES.matcher(text).find()) {
                notices.add(folder.name() + ": flip_x is on and the caption speaks of left or right", target.label());
            }
            if (file != null) captions.put(target.stem(), text);
        }
        return captions;
    }

    /// What a picture is trained with.
    private static String prompt(String written, DatasetSpec spec) {
        String text = written.isEmpty() ? Captions.oneLine(spec.defaultCaption()) : written;
        return Captions.withWords(text, spec.triggerWord(), !spec.regularisation(), spec.tag());
    }

    private List<FoundPicture> found(Map<Entry, TrainingPicture> sound, Map<String, String> written) {
        List<FoundPicture> found = new ArrayList<>();
        sound.forEach((entry, picture) -> found.add(new FoundPicture(entry.label(), picture,
                written.containsKey(entry.stem()), written.getOrDefault(entry.stem(), ""), pictures.lookOf(entry))));
        return found;
    }

    private Map<Entry, List<TrainingPicture>> partners(Iterable<Entry> targets, List<ControlFolder> controls) {
        Map<Entry, List<TrainingPicture>> partners = new LinkedHashMap<>();
        for (Entry target : targets) {
            List<TrainingPicture> found = new ArrayList<>();
            for (ControlFolder folder : controls) {
                Optional<Entry> partner = folder.partnerOf(target);
                if (partner.isEmpty()) {
                    problem(target.label(), "has no control picture in %s; one named %s is needed"
                            .formatted(folder.name(), target.fileStem() + ".png (or .jpg, .webp)"));
                } else {
                    // An unreadable one is missing here, and already told.
                    folder.pictureOf(partner.get()).ifPresent(found::add);
                }
            }
            partners.put(target, found);
        }
        return partners;
    }

    private int repeats(FolderListing folder, DatasetSpec spec) {
        Optional<FolderName> name = FolderName.of(Path.of(folder.name()));
        if (spec.numRepeats() > 0) {
            if (name.isPresent() && name.get().repeats() != spec.numRepeats()) {
                notices.add("%s: num_repeats is %d, so the %d in the folder's name is ignored"
                        .formatted(folder.name(), spec.numRepeats(), name.get().repeats()));
            }
            return spec.numRepeats();
        }
        if (name.isEmpty()) return 1;
        notices.add("%s: each picture is repeated %d times, as the folder's name says"
                .formatted(folder.name(), name.get().repeats()));
        return name.get().repeats();
    }

    private List<Integer> distinct(FolderListing folder, List<Integer> resolutions) {
        List<Integer> distinct = resolutions.stream().distinct().toList();
        if (distinct.size() < resolutions.size()) {
            notices.add("%s: resolution %s repeats itself, taken as %s"
                    .formatted(folder.name(), resolutions, distinct));
        }
        return distinct;
    }

    private Placement place(
            FolderListing folder, Entry entry, TrainingPicture picture, int resolution, boolean buckets) {
        int width = picture.width();
        int height = picture.height();
        Placement placement = buckets
                ? Buckets.fit(width, height, resolution)
                : Buckets.square(width, height, resolution);
        String change = "%s (%d x %d to %d x %d)"
                .formatted(entry.label(), width, height, placement.width(), placement.height());
        boolean small = buckets
                ? (long) width * height < (long) resolution * resolution
                : Math.min(width, height) < resolution;
        if (width < Buckets.MULTIPLE || height < Buckets.MULTIPLE) {
            notices.add(folder.name() + ": enlarged, because no side may be under 32 pixels", change);
        } else if (small) {
            notices.add("%s: smaller than resolution %d, taken at its own size".formatted(folder.name(), resolution),
                    change);
        }
        if (placement.kept() < 1 - NOTABLE_CROP) {
            notices.add(folder.name() + ": more than a tenth is cropped away", change);
        }
        return placement;
    }

    private void problem(String where, String what) {
        problems.add(new Problem(Dataset.INVALID, where, what));
    }
}
