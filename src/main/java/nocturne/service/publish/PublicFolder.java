package nocturne.service.publish;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import nocturne.io.AtomicFiles;
import nocturne.io.CrashPoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The files of one job's folder in the outbox, which is ours but in which people may leave things of their own.
///
/// Links are never followed: neither what a person made a link, nor a folder on the way to a file.
final class PublicFolder {
    private static final Logger LOG = LoggerFactory.getLogger(PublicFolder.class);
    /// Ours to write there, whatever a trainer calls its files.
    static final Set<String> RESERVED = Set.of("job.json", "events.jsonl", "manifest.json", "refused.json");
    private static final int VERSIONS = 2;

    private final Path root;
    private final Path stateFile;
    private OutboxState state;

    PublicFolder(Path root, Path stateFile, OutboxState state) {
        this.root = root;
        this.stateFile = stateFile;
        this.state = state;
    }

    /// Makes the folder show what a trainer's folder holds now, file by file, each whole or not at all; what was there
    /// because of us and is no longer in the trainer's folder goes.
    void mirror(Path run) throws IOException {
        SortedMap<String, String> made = stampsBelow(run);
        List<String> wanted = made.entrySet().stream()
                .filter(file -> !file.getValue().equals(Stamp.of(root.resolve(file.getKey()))))
                .map(Map.Entry::getKey).toList();
        if (!wanted.isEmpty()) {
            Map<String, List<String>> intended = new TreeMap<>(state.files());
            for (String path : wanted) intended.merge(path, List.of(made.get(path)), PublicFolder::newestFirst);
            remember(intended);
            for (String path : wanted) publish(run, path);
        }
        List<String> pruned = state.files().keySet().stream().filter(path -> !made.containsKey(path)).toList();
        if (!pruned.isEmpty()) {
            for (String path : pruned) remove(path);
            Map<String, List<String>> left = new TreeMap<>(state.files());
            left.keySet().removeAll(pruned);
            remember(left);
        }
    }

    /// What we put there, and what is there.
    List<String> files() {
        return state.files().keySet().stream().filter(path -> !Stamp.of(root.resolve(path)).isEmpty()).toList();
    }

    Path file(String path) {
        return root.resolve(path);
    }

    /// What a killed process left half done.
    void removeLeftovers() throws IOException {
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                AtomicFiles.removeLeftovers(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private void publish(Path run, String path) throws IOException {
        Path source = run.resolve(path);
        Path target = root.resolve(path);
        makeFolders(target);
        String there = Stamp.of(target);
        boolean ours = state.files().getOrDefault(path, List.of()).contains(there);
        if (!ours && Files.exists(target, LinkOption.NOFOLLOW_LINKS)) keepAside(target);
        if (Stamp.of(source).isEmpty()) return;     // pruned meanwhile; the next time will see to it
        AtomicFiles.linkOrCopy(source, target);
        CrashPoint.at("outbox.file");
        String now = Stamp.of(target);
        if (!state.files().getOrDefault(path, List.of()).contains(now)) {
            // Replaced by the trainer between our look and our link.
            Map<String, List<String>> files = new TreeMap<>(state.files());
            files.merge(path, List.of(now), PublicFolder::newestFirst);
            remember(files);
        }
    }

    /// Only if it is what we put there, and really there: a person may have replaced it or a folder on the way.
    private void remove(String path) throws IOException {
        Path target = root.resolve(path);
        if (!state.files().getOrDefault(path, List.of()).contains(Stamp.of(target))) return;
        Path folder = root;
        for (Path name : Path.of(path)) {
            if (!isFolder(folder)) return;
            folder = folder.resolve(name);
        }
        Files.deleteIfExists(target);
    }

    private void makeFolders(Path target) throws IOException {
        Path at = root;
        for (Path name : root.relativize(Objects.requireNonNull(target.getParent()))) {
            if (name.toString().isEmpty()) continue;
            at = at.resolve(name);
            if (isFolder(at)) continue;
            if (Files.exists(at, LinkOption.NOFOLLOW_LINKS)) keepAside(at);
            Files.createDirectory(at);
        }
    }

    /// What a person put where a file of ours belongs stays, under another name.
    private static void keepAside(Path theirs) throws IOException {
        Path aside = theirs.resolveSibling(theirs.getFileName() + ".yours");
        for (int i = 2; Files.exists(aside, LinkOption.NOFOLLOW_LINKS); i++) {
            aside = theirs.resolveSibling(theirs.getFileName() + ".yours-" + i);
        }
        try {
            Files.move(theirs, aside);
        } catch (NoSuchFileException gone) {
            return;
        }
        LOG.warn("{} was not put there by the service, which needs the name; it is {} now", theirs,
                aside.getFileName());
    }

    private void remember(Map<String, List<String>> files) {
        OutboxState next = state.withFiles(files);
        next.write(stateFile);
        state = next;
    }

    OutboxState state() {
        return state;
    }

    private static List<String> newestFirst(List<String> before, List<String> now) {
        List<String> both = new ArrayList<>(now);
        before.stream().filter(stamp -> !both.contains(stamp)).forEach(both::add);
        return List.copyOf(both.subList(0, Math.min(both.size(), VERSIONS)));
    }

    static boolean isFolder(Path path) {
        return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
    }

    /// The public files of a trainer's folder: neither hidden, nor links, nor those whose names are ours.
    private static SortedMap<String, String> stampsBelow(Path run) throws IOException {
        SortedMap<String, String> stamps = new TreeMap<>();
        Files.walkFileTree(run, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                return !folder.equals(run) && isHidden(folder) ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                boolean reserved = run.equals(file.getParent()) && RESERVED.contains(file.getFileName().toString());
                if (attributes.isRegularFile() && !isHidden(file) && !reserved) {
                    stamps.put(run.relativize(file).toString().replace('\\', '/'), Stamp.of(attributes));
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path gone, IOException e) throws IOException {
                if (e instanceof NoSuchFileException) return FileVisitResult.CONTINUE;
                throw e;
            }
        });
        return stamps;
    }

    private static boolean isHidden(Path file) {
        return file.getFileName().toString().startsWith(".");
    }
}
