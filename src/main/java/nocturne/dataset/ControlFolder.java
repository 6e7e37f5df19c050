package nocturne.dataset;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import nocturne.dataset.FolderListing.Entry;

/// The control pictures of one folder, found by the stem of their target.
final class ControlFolder {
    private final String name;
    private final Map<String, Entry> byStem;
    private final Map<String, Entry> byFileStem = new LinkedHashMap<>();
    private final Map<Entry, TrainingPicture> sound;
    private final Set<Entry> used = new HashSet<>();

    ControlFolder(String name, Map<String, Entry> byStem, Map<Entry, TrainingPicture> sound) {
        this.name = name;
        this.byStem = byStem;
        this.sound = sound;
        for (Entry entry : byStem.values()) byFileStem.putIfAbsent(entry.fileStem(), entry);
    }

    String name() {
        return name;
    }

    /// The one in the same sub-folder first, else one of the same file name anywhere: ai-toolkit compares names alone.
    Optional<Entry> partnerOf(Entry target) {
        Entry partner = byStem.get(target.stem());
        if (partner == null) partner = byFileStem.get(target.fileStem());
        if (partner != null) used.add(partner);
        return Optional.ofNullable(partner);
    }

    /// Empty where the file could not be decoded.
    Optional<TrainingPicture> pictureOf(Entry entry) {
        return Optional.ofNullable(sound.get(entry));
    }

    /// Those no target has asked for.
    List<Entry> unused() {
        List<Entry> unused = new ArrayList<>(byStem.values());
        unused.removeAll(used);
        return unused;
    }
}
