package nocturne.recipe;

import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What a recipe's reader may know about the bundle around the recipe: enough for defaults and arithmetic, nothing
/// about the pictures themselves.
///
/// @param name     what the bundle is called, such as the zip's name without its ending
/// @param pictures number of picture files directly in each folder that has any; folders relative to the bundle's root
///                 with `/` between names, `.` for the root. Null when nobody looked
public record BundleFacts(String name, @Nullable SortedMap<String, Integer> pictures) {
    private static final Set<String> PICTURE_ENDINGS = Set.of("jpg", "jpeg", "png", "webp");
    private static final Set<String> HELD_OUT = Set.of("heldout", "held_out", "validation");
    /// Folders that hold something other than pictures to learn.
    private static final Set<String> ASIDE = Set.of("control", "controls", "_controls", "samples", "reference");

    public BundleFacts {
        if (pictures != null) pictures = Collections.unmodifiableSortedMap(new TreeMap<>(pictures));
    }

    /// A bundle whose files nobody looked at.
    public static BundleFacts named(String name) {
        return new BundleFacts(name, null);
    }

    /// A bundle with these files; pictures are told by their endings.
    ///
    /// @param files relative to the bundle's root, `/` between names
    public static BundleFacts of(String name, Collection<String> files) {
        SortedMap<String, Integer> pictures = new TreeMap<>();
        for (String file : files) {
            String ending = file.substring(file.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
            if (!PICTURE_ENDINGS.contains(ending)) continue;
            int slash = file.lastIndexOf('/');
            pictures.merge(slash < 0 ? "." : file.substring(0, slash), 1, Integer::sum);
        }
        return new BundleFacts(name, pictures);
    }

    /// Whether the files are known.
    boolean isListed() {
        return pictures != null;
    }

    /// The folders that look like datasets, in order; without those inside another, which it brings along.
    List<String> datasetFolders() {
        if (pictures == null) return List.of();
        List<String> folders = pictures.keySet().stream().filter(folder -> !isAside(folder)).toList();
        return folders.stream().filter(folder -> folders.stream().noneMatch(other -> isInside(folder, other))).toList();
    }

    /// Folders with pictures below a folder.
    List<String> foldersInside(String folder) {
        if (pictures == null) return List.of();
        return pictures.keySet().stream().filter(inner -> isInside(inner, folder)).toList();
    }

    private static boolean isInside(String folder, String outer) {
        return !folder.equals(outer) && (outer.equals(".") || folder.startsWith(outer + "/"));
    }

    /// A folder kept out of training by its name, if there is one.
    Optional<String> heldOutFolder() {
        if (pictures == null) return Optional.empty();
        return pictures.keySet().stream()
                .filter(folder -> HELD_OUT.contains(lastName(folder).toLowerCase(Locale.ROOT)))
                .filter(folder -> new Kind.BundlePath().parse(folder).equals(Optional.of(folder)))
                .findFirst();
    }

    /// Pictures in a folder and all below it; empty when nobody looked.
    OptionalInt picturesIn(String folder) {
        if (pictures == null) return OptionalInt.empty();
        int count = 0;
        for (var entry : pictures.entrySet()) {
            if (entry.getKey().equals(folder) || isInside(entry.getKey(), folder)) count += entry.getValue();
        }
        return OptionalInt.of(count);
    }

    static String lastName(String folder) {
        return folder.substring(folder.lastIndexOf('/') + 1);
    }

    static boolean isAside(String folder) {
        for (String name : folder.split("/")) {
            String lower = name.toLowerCase(Locale.ROOT);
            boolean control = lower.endsWith("_controls") || lower.endsWith("_control");
            if (control || ASIDE.contains(lower) || HELD_OUT.contains(lower)) return true;
        }
        return false;
    }
}
