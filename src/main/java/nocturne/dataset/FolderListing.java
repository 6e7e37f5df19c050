package nocturne.dataset;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// The files of a dataset folder and its sub-folders, sorted by path, so that every machine sees them in one order.
///
/// Left out: names that begin with a dot, `_controls` (where ai-toolkit keeps generated controls), `__MACOSX`.
/// Links to files are followed, links to folders are not: they could lead in circles.
record FolderListing(String name, List<Entry> entries) {
    private static final Set<String> PICTURES = Set.of("png", "jpg", "jpeg", "webp");
    private static final Set<String> OTHER_PICTURES =
            Set.of("heic", "heif", "avif", "gif", "bmp", "tif", "tiff", "jxl", "jp2", "jfif", "psd", "raw", "dng");
    private static final Set<String> SKIPPED_FOLDERS = Set.of("_controls", "__MACOSX");

    /// @param file  where it lies
    /// @param label how the user knows it: dataset folder, sub-folders, name
    /// @param stem  path below the dataset folder without the extension, with `/`
    /// @param extension lower case, without the dot; empty for none
    record Entry(Path file, String label, String stem, String extension) {
        boolean isPicture() {
            return PICTURES.contains(extension);
        }

        /// A picture that we do not read.
        boolean isForeignPicture() {
            return OTHER_PICTURES.contains(extension);
        }

        /// The last part of the stem.
        String fileStem() {
            return stem.substring(stem.lastIndexOf('/') + 1);
        }
    }

    /// @param left folders inside this one that are not part of it: its control folders
    static FolderListing of(Path folder, Set<Path> left) throws IOException {
        Path root = folder.toRealPath();
        Path given = folder.toAbsolutePath().normalize().getFileName();
        String name = given == null ? root.toString() : given.toString();
        List<Entry> entries = new ArrayList<>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                if (directory.equals(root)) return FileVisitResult.CONTINUE;
                String own = directory.getFileName().toString();
                boolean skipped = own.startsWith(".") || SKIPPED_FOLDERS.contains(own) || left.contains(directory);
                return skipped ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                String own = file.getFileName().toString();
                if (own.startsWith(".") || !Files.isRegularFile(file)) return FileVisitResult.CONTINUE;
                String relative = root.relativize(file).toString().replace('\\', '/');
                entries.add(entry(file, name + "/" + relative, relative));
                return FileVisitResult.CONTINUE;
            }
        });
        entries.sort(Comparator.comparing(Entry::label));
        return new FolderListing(name, List.copyOf(entries));
    }

    /// @param relative path of the file below the dataset folder, with `/`
    static Entry entry(Path file, String label, String relative) {
        int dot = relative.lastIndexOf('.');
        boolean hasExtension = dot > relative.lastIndexOf('/') + 1;
        String stem = hasExtension ? relative.substring(0, dot) : relative;
        String extension = hasExtension ? relative.substring(dot + 1).toLowerCase(Locale.ROOT) : "";
        return new Entry(file, label, stem, extension);
    }
}
