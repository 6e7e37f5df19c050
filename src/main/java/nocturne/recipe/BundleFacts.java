package nocturne.recipe;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import nocturne.problem.SickMachine;
import org.jspecify.annotations.Nullable;

/// What a recipe's reader may know about the bundle around the recipe: enough for defaults and arithmetic, nothing
/// about the pictures themselves.
///
/// @param name     what the bundle is called, such as the zip's name without its ending
/// @param pictures number of picture files directly in each folder that has any; folders relative to the bundle's root
///                 with `/` between names, `.` for the root. Null when nobody looked
public record BundleFacts(String name, @Nullable SortedMap<String, Integer> pictures) {
    private static final Set<String> PICTURE_ENDINGS = Set.of("jpg", "jpeg", "png", "webp");
    /// Folders that hold something other than pictures to learn.
    private static final Set<String> ASIDE = Set.of("heldout", "held_out", "validation", "control", "controls", "samples",
            "reference");
    private static final int MOST_DEPTH = 16;

    public BundleFacts {
        if (pictures != null) pictures = Collections.unmodifiableSortedMap(new TreeMap<>(pictures));
    }

    public static BundleFacts named(String name) {
        return new BundleFacts(name, null);
    }

    /// Counts the pictures of a folder by their endings, without opening them or following links.
    ///
    /// @throws SickMachine if the folder cannot be listed
    public static BundleFacts of(Path bundle) {
        SortedMap<String, Integer> pictures = new TreeMap<>();
        try {
            Files.walkFileTree(bundle, EnumSet.noneOf(java.nio.file.FileVisitOption.class), MOST_DEPTH,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                            return folder.equals(bundle) || !isHidden(folder) ? FileVisitResult.CONTINUE
                                    : FileVisitResult.SKIP_SUBTREE;
                        }

                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                            if (attributes.isRegularFile() && isPicture(file)) {
                                pictures.merge(relative(bundle, Objects.requireNonNull(file.getParent())), 1, Integer::sum);
                            }
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            throw new SickMachine("BUNDLE_UNREADABLE", "listing " + bundle + " failed: " + e.getMessage(), e);
        }
        Path name = bundle.toAbsolutePath().normalize().getFileName();
        return new BundleFacts(name == null ? "bundle" : name.toString(), pictures);
    }

    /// The folders that look like datasets, in order.
    List<String> datasetFolders() {
        if (pictures == null) return List.of();
        return pictures.keySet().stream().filter(folder -> !isAside(folder)).toList();
    }

    /// A folder kept out of training by its name, if there is one.
    @Nullable String heldOutFolder() {
        if (pictures == null) return null;
        for (String folder : pictures.keySet()) {
            String last = folder.substring(folder.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
            if (Set.of("heldout", "held_out", "validation").contains(last)) return folder;
        }
        return null;
    }

    /// Pictures in a folder and all below it; empty when nobody looked.
    OptionalInt picturesIn(String folder) {
        if (pictures == null) return OptionalInt.empty();
        int count = 0;
        for (var entry : pictures.entrySet()) {
            boolean inside = folder.equals(".") || entry.getKey().equals(folder) || entry.getKey().startsWith(folder + "/");
            if (inside) count += entry.getValue();
        }
        return OptionalInt.of(count);
    }

    private static boolean isAside(String folder) {
        for (String name : folder.split("/")) {
            String lower = name.toLowerCase(Locale.ROOT);
            if (ASIDE.contains(lower) || lower.endsWith("_controls") || lower.endsWith("_control")) return true;
        }
        return false;
    }

    private static boolean isHidden(Path folder) {
        String name = folder.getFileName().toString();
        return name.startsWith(".") || name.equals("_controls") || name.equals("__MACOSX");
    }

    private static boolean isPicture(Path file) {
        String name = file.getFileName().toString();
        return !name.startsWith(".")
                && PICTURE_ENDINGS.contains(name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT));
    }

    private static String relative(Path bundle, Path folder) {
        String path = bundle.relativize(folder).toString().replace('\\', '/');
        return path.isEmpty() ? "." : path;
    }
}
