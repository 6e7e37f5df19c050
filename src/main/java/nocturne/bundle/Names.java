package nocturne.bundle;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The names in a bundle, which must stay different on any file system.
final class Names {
    private final Map<String, String> files = new HashMap<>();
    private final Map<EntryName, String> inOrder = new LinkedHashMap<>();
    private final Set<String> folders = new HashSet<>();

    void addFolder(EntryName name) {
        addFoldersAbove(name);
        folders.add(name.folded());
    }

    /// @param raw as its sender wrote it
    /// @return why the file cannot have this name; empty if it can
    Optional<String> addFile(EntryName name, String raw) {
        addFoldersAbove(name);
        String first = files.putIfAbsent(name.folded(), raw);
        if (first == null) {
            inOrder.put(name, raw);
            return Optional.empty();
        }
        return Optional.of(first.equals(raw) ? "is there twice"
                : "has the same name as %s but for upper and lower case".formatted(EntryName.shown(first)));
    }

    /// Files whose names are those of folders too, to be asked when all names are known.
    Set<String> filesThatAreFolders() {
        Set<String> both = new HashSet<>();
        inOrder.forEach((name, raw) -> {
            if (folders.contains(name.folded())) both.add(raw);
        });
        return both;
    }

    private void addFoldersAbove(EntryName name) {
        String folded = name.folded();
        for (int slash = folded.indexOf('/'); slash > 0; slash = folded.indexOf('/', slash + 1)) {
            folders.add(folded.substring(0, slash));
        }
    }
}
