package nocturne.bundle;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.ZipException;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// What was dropped, opened: a folder with pictures, captions and at most one recipe.
public final class Bundle {
    /// The zip or folder cannot be used as a bundle.
    public static final String INVALID = "BUNDLE_INVALID";
    /// The end of the zip is not there: whoever sends it has not finished, or never will.
    public static final String INCOMPLETE = "BUNDLE_INCOMPLETE";

    static final int HASH_DIGITS = 16;

    private static final String NEITHER = "is neither a folder nor a zip";
    private static final Set<String> RECIPE_ENDINGS = Set.of("yaml", "yml", "json", "jsonc");
    private static final String PIPELINE = "model_index.json";
    private static final Set<String> PICTURE_ENDINGS = Set.of("png", "jpg", "jpeg", "webp");

    private final Path root;
    private final Map<String, Path> files;
    private final Optional<String> recipe;

    private Bundle(Path root, Map<String, Path> files, Optional<String> recipe) {
        this.root = root;
        this.files = files;
        this.recipe = recipe;
    }

    /// Opens a person's own folder where it lies, or zip after unpacking it below `workFolder`.
    ///
    /// The unpacked folder is named by the zip's hash, and gets that name when it is complete. So opening the same zip
    /// again finds it there, and opening it after a crash unpacks it again, with the same result.
    ///
    /// @param source     a folder or a zip; what it is decides its content, not its name
    /// @param workFolder where a zip is unpacked; made if it is not there, untouched for a folder
    /// @throws UserMistake [#INVALID] with everything that is wrong, or [#INCOMPLETE]
    /// @throws SickMachine `DISK_FULL` or `WRITE_FAILED` if the zip cannot be unpacked; UserMistake `NOT_WRITABLE` too
    public static Bundle open(Path source, Path workFolder, BundleLimits limits) {
        if (Files.isDirectory(source)) return list(source);
        if (!Files.exists(source)) throw new UserMistake(INVALID, source.toString(), "there is no such file or folder");
        if (!Files.isRegularFile(source)) throw new UserMistake(INVALID, source.toString(), NEITHER);
        try (FileChannel zip = FileChannel.open(source)) {
            return unpack(zip, String.valueOf(source.getFileName()), workFolder, limits);
        } catch (IOException e) {
            throw new UserMistake(INVALID, source.toString(), "cannot be read: " + e.getMessage());
        }
    }

    /// Takes what a stranger dropped: a zip is unpacked, a folder copied, and then `source` is not needed any more.
    ///
    /// Unlike a person's own bundle, it may not be, nor hold, links or other names of files that lie elsewhere. What
    /// is put in its place while it is read is not read.
    ///
    /// @param source     a folder or a zip, in a folder that only we rename things in
    /// @param name       what its sender calls it
    /// @param workFolder where the copy appears, named by its content, when it is complete
    /// @throws UserMistake [#INVALID] with everything that is wrong, or [#INCOMPLETE]
    /// @throws SickMachine if this machine cannot take it now
    public static Bundle take(Path source, String name, Path workFolder, BundleLimits limits) {
        if (Files.isDirectory(source, LinkOption.NOFOLLOW_LINKS)) {
            return list(FolderCopy.copy(source, name, workFolder, limits));
        }
        try (FileChannel zip = PlainFile.open(source)) {
            return unpack(zip, name, workFolder, limits);
        } catch (IOException e) {
            throw new UserMistake(INVALID, name, "cannot be read: " + e.getMessage());
        }
    }

    /// Whether there is nothing to wait for: a zip whose beginning and end are there, or something that will never be a
    /// zip. Looks at the first bytes and the last 64 KiB.
    ///
    /// A zip is written from its beginning to its end, so one that has its end is whole, as far as can be told without
    /// reading it.
    public static boolean isComplete(FileChannel zip) throws IOException {
        try {
            return switch (ZipStart.of(zip)) {
                case MISSING -> false;
                case OTHER -> true;
                case ZIP -> ZipEnd.of(zip).isPresent();
            };
        } catch (ZipException neverToBeTaken) {
            return true;
        }
    }

    private static Bundle unpack(FileChannel zip, String where, Path workFolder, BundleLimits limits)
            throws IOException {
        switch (ZipStart.of(zip)) {
            case MISSING -> throw new UserMistake(INCOMPLETE, where, "is empty, or its beginning is missing");
            case OTHER -> throw new UserMistake(INVALID, where, NEITHER);
            case ZIP -> {
                // Files that do not shrink, and what stands around them.
                long most = limits.totalBytes() + limits.totalBytes() / 64 + (16 << 20);
                if (zip.size() > most) {
                    throw new UserMistake(INVALID, where,
                            "is %,d bytes long; at most %,d are allowed".formatted(zip.size(), most));
                }
            }
        }
        String name = "bundle-" + hash(zip).substring(0, HASH_DIGITS);
        if (!Files.isDirectory(workFolder.resolve(name))) Unzip.extract(zip, where, workFolder, name, limits);
        return list(workFolder.resolve(name));
    }

    private static String hash(FileChannel zip) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            ByteBuffer block = ByteBuffer.allocate(1 << 16);
            for (long at = 0; zip.read(block, at) > 0; block.clear()) {
                at += block.position();
                digest.update(block.flip());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /// The folder that paths in the recipe are relative to: the whole bundle, or the one folder that a zip of a folder
    /// wraps everything in, recipe included.
    public Path root() {
        return root;
    }

    /// The one recipe; empty if the bundle has none.
    public Optional<Path> recipe() {
        return recipe.map(name -> root.resolve(name));
    }

    /// Paths below the root, with `/`, sorted; without hidden files and what operating systems leave behind.
    public List<String> files() {
        return List.copyOf(files.keySet());
    }

    /// Whether what lies at a path below the root is part of the bundle, wherever links lead: inside it, and not
    /// hidden. True as well where nothing lies; that is for others to tell.
    public boolean covers(String path) {
        try {
            Path real = root.resolve(path).toRealPath();
            Path realRoot = root.toRealPath();
            return real.startsWith(realRoot) && !isHidden(Path.of(path).normalize())
                    && !isHidden(realRoot.relativize(real));
        } catch (IOException nothing) {
            return true;
        }
    }

    private static boolean isHidden(Path relative) {
        String name = relative.toString().replace('\\', '/');
        return !name.isEmpty() && new EntryName(name).isJunk();
    }

    /// Folders that hold pictures directly, relative to the root, sorted; `""` is the root. For bundles with no recipe.
    public List<String> pictureFolders() {
        Set<String> folders = new TreeSet<>();
        for (String name : files.keySet()) {
            if (!PICTURE_ENDINGS.contains(ending(name))) continue;
            folders.add(name.substring(0, Math.max(0, name.lastIndexOf('/'))));
        }
        return List.copyOf(folders);
    }

    /// SHA-256 over all files, each as path length, path, file length, bytes, in the order of their paths. Time
    /// stamps, compression and the order inside a zip play no part. Reads everything.
    public String contentHash() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] block = new byte[1 << 16];
            for (Map.Entry<String, Path> file : files.entrySet()) {
                byte[] name = file.getKey().getBytes(StandardCharsets.UTF_8);
                String lengths = "%d %d ".formatted(name.length, Files.size(file.getValue()));
                digest.update(lengths.getBytes(StandardCharsets.UTF_8));
                digest.update(name);
                try (InputStream in = Files.newInputStream(file.getValue())) {
                    for (int count = in.read(block); count >= 0; count = in.read(block)) digest.update(block, 0, count);
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw new SickMachine("FILE_UNREADABLE", "reading %s failed: %s".formatted(root, e.getMessage()), e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    static Bundle list(Path folder) {
        List<Problem> problems = new ArrayList<>();
        Map<String, Path> all = walk(folder, problems);
        List<String> recipes = all.keySet().stream().filter(Bundle::isRecipe).toList();
        if (recipes.size() > 1) {
            problems.add(new Problem(INVALID, "", "has %d recipes: %s. Leave the one you mean."
                    .formatted(recipes.size(), EntryName.shown(String.join(", ", recipes)))));
        }
        String wrapper = recipes.size() == 1 ? wrapper(recipes.getFirst(), all.keySet()) : "";
        Path root = folder.resolve(wrapper);
        Map<String, Path> files = new TreeMap<>();
        all.forEach((name, file) -> files.put(name.substring(wrapper.length()), file));
        if (files.isEmpty() && problems.isEmpty()) problems.add(new Problem(INVALID, "", "is empty"));
        if (!problems.isEmpty()) throw new UserMistake(folder + " cannot be used as a bundle.", problems);
        return new Bundle(root, files, recipes.stream().findFirst().map(name -> name.substring(wrapper.length())));
    }

    /// At the top or one folder below, where people put it; deeper down, JSON is somebody's data, and so is the list of
    /// contents of a pipeline that comes in the bundle.
    private static boolean isRecipe(String name) {
        return RECIPE_ENDINGS.contains(ending(name)) && name.chars().filter(c -> c == '/').count() <= 1
                && !name.endsWith("/" + PIPELINE);
    }

    private static Problem link(String name) {
        return new Problem(INVALID, EntryName.shown(name), "is a link that leads out of the bundle");
    }

    private static String ending(String name) {
        int dot = name.lastIndexOf('.');
        return dot < 0 ? "" : name.substring(dot + 1).toLowerCase(Locale.ROOT);
    }

    /// The folder of the recipe, with a final `/`, if everything else lies in it too; `""` if it does not.
    private static String wrapper(String recipe, Set<String> names) {
        String folder = recipe.substring(0, recipe.indexOf('/') + 1);
        return names.stream().allMatch(name -> name.startsWith(folder)) ? folder : "";
    }

    private static Map<String, Path> walk(Path folder, List<Problem> problems) {
        Map<String, Path> files = new TreeMap<>();
        try {
            Path real = folder.toRealPath();
            Files.walkFileTree(real, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                    boolean junk = !directory.equals(real) && new EntryName(name(directory)).isJunk();
                    return junk ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    String name = name(file);
                    if (new EntryName(name).isJunk()) return FileVisitResult.CONTINUE;
                    boolean leaves = attributes.isSymbolicLink()
                            && !(Files.exists(file) && file.toRealPath().startsWith(real));
                    if (leaves) problems.add(link(name));
                    else if (Files.isRegularFile(file)) files.put(name, folder.resolve(name));
                    return FileVisitResult.CONTINUE;
                }

                private String name(Path path) {
                    return real.relativize(path).toString().replace('\\', '/');
                }
            });
        } catch (IOException e) {
            throw new UserMistake(INVALID, folder.toString(), "cannot be listed: " + e.getMessage());
        }
        return files;
    }
}
