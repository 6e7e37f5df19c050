package nocturne.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Everything that was done to a folder, in order, and what a power cut may make of it.
///
/// The model is a little worse than real disks, and that is on purpose:
///
/// - Bytes are safe once their file was forced. Until then they are kept, lost, torn (half of the last write is there)
///   or zeroed (the length is there, the bytes are not).
/// - A name (created, renamed, linked, deleted) is safe once its folder was forced; forcing the file is not enough. Of
///   the names that are not safe yet, a crash keeps the first few in the order in which they were made.
/// - A rename is atomic, between two folders too, and safe once either of them was forced: so it is in every journal.
public final class DiskHistory {
    private static final int FOLDER = -1;

    /// What becomes of bytes that were not forced.
    public enum Bytes { KEPT, LOST, TORN, ZEROED }

    private sealed interface Event {
        /// A name comes to stand for a file or folder.
        record Named(String path, int file) implements Event {}

        record Renamed(String from, String to) implements Event {}

        record Deleted(String path) implements Event {}

        record Wrote(int file, long at, byte[] bytes) implements Event {}

        record Cut(int file, long size) implements Event {}

        record Forced(int file) implements Event {}

        record ForcedFolder(String path) implements Event {}

        record Promised(String what) implements Event {}
    }

    /// What one power cut left.
    ///
    /// @param after    how many events there had been, promises included
    /// @param names    how many of the unsafe names were kept
    /// @param bytes    what became of unsafe bytes
    /// @param promises what had been promised before
    /// @param content  by path; null for a folder
    public record Crash(int after, int names, Bytes bytes, Set<String> promises,
            SortedMap<String, byte @Nullable []> content) {

        public boolean promised(String what) {
            return promises.contains(what);
        }

        /// Makes the folder look so, whatever it looked like.
        public Path rebuiltIn(Path folder) {
            try {
                if (Files.exists(folder)) {
                    try (Stream<Path> old = Files.walk(folder)) {
                        for (Path path : old.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
                    }
                }
                Files.createDirectories(folder);
                for (Map.Entry<String, byte @Nullable []> entry : content.entrySet()) {
                    Path path = folder.resolve(entry.getKey());
                    byte[] file = entry.getValue();
                    if (file == null) Files.createDirectories(path);
                    else Files.write(path, file);
                }
                return folder;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public String toString() {
            return "crash after %d events, %d unsafe names kept, unsafe bytes %s, promised %s, left %s"
                    .formatted(after, names, bytes, promises, content.keySet());
        }
    }

    private final SortedMap<String, Integer> startingNames;
    private final Map<Integer, byte[]> startingBytes;
    private final List<Event> events = new ArrayList<>();
    private final SortedMap<String, Integer> names;
    private int files;

    private DiskHistory(SortedMap<String, Integer> names, Map<Integer, byte[]> bytes) {
        this.startingNames = names;
        this.startingBytes = bytes;
        this.names = new TreeMap<>(names);
        this.files = bytes.size();
    }

    /// A history that begins with what is there.
    static DiskHistory startingFrom(Path folder) throws IOException {
        SortedMap<String, Integer> names = new TreeMap<>();
        Map<Integer, byte[]> bytes = new HashMap<>();
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted().toList()) {
                if (path.equals(folder)) continue;
                boolean isFolder = Files.isDirectory(path);
                names.put(folder.relativize(path).toString().replace('\\', '/'), isFolder ? FOLDER : bytes.size());
                if (!isFolder) bytes.put(bytes.size(), Files.readAllBytes(path));
            }
        }
        return new DiskHistory(names, bytes);
    }

    /// The file behind a name.
    int number(String path) {
        Integer number = names.get(path);
        if (number == null) throw new IllegalStateException(path + " was made behind the history's back");
        return number;
    }

    void created(String path) {
        happened(new Event.Named(path, files++));
    }

    void madeFolder(String path) {
        happened(new Event.Named(path, FOLDER));
    }

    void linked(String existing, String path) {
        happened(new Event.Named(path, number(existing)));
    }

    void renamed(String from, String to) {
        happened(new Event.Renamed(from, to));
    }

    void deleted(String path) {
        happened(new Event.Deleted(path));
    }

    void wrote(int file, long at, byte[] bytes) {
        happened(new Event.Wrote(file, at, bytes));
    }

    void cut(int file, long size) {
        happened(new Event.Cut(file, size));
    }

    void forced(int file) {
        happened(new Event.Forced(file));
    }

    void forcedFolder(String path) {
        happened(new Event.ForcedFolder(path));
    }

    void promise(String what) {
        happened(new Event.Promised(what));
    }

    private void happened(Event event) {
        events.add(event);
        apply(event, names);
    }

    List<Crash> crashes() {
        Map<List<Object>, Crash> different = new LinkedHashMap<>();
        for (int after = 0; after <= events.size(); after++) {
            int unsafe = unsafeNames(after).size();
            for (int kept = 0; kept <= unsafe; kept++) {
                for (Bytes bytes : Bytes.values()) {
                    Crash crash = crash(after, kept, bytes);
                    different.putIfAbsent(List.of(crash.promises(), fingerprint(crash)), crash);
                }
            }
        }
        return List.copyOf(different.values());
    }

    Crash crash(RandomGenerator random) {
        int after = random.nextInt(events.size() + 1);
        int kept = random.nextInt(unsafeNames(after).size() + 1);
        return crash(after, kept, Bytes.values()[random.nextInt(Bytes.values().length)]);
    }

    private static String fingerprint(Crash crash) {
        ContentHash hash = new ContentHash();
        crash.content().forEach((path, bytes) -> {
            hash.add(path);
            if (bytes == null) hash.add(FOLDER);
            else hash.add(bytes);
        });
        return hash.hex();
    }

    private Crash crash(int after, int kept, Bytes fate) {
        List<Integer> unsafe = unsafeNames(after);
        Set<Integer> lost = Set.copyOf(unsafe.subList(kept, unsafe.size()));
        SortedMap<String, Integer> left = new TreeMap<>(startingNames);
        Set<String> promises = new TreeSet<>();
        for (int i = 0; i < after; i++) {
            if (!lost.contains(i)) apply(events.get(i), left);
            if (events.get(i) instanceof Event.Promised promised) promises.add(promised.what());
        }
        SortedMap<String, byte @Nullable []> content = new TreeMap<>();
        left.forEach((path, file) -> content.put(path, file == FOLDER ? null : bytes(file, after, fate)));
        return new Crash(after, kept, fate, promises, content);
    }

    /// Which of the first events changed names that no forced folder holds yet.
    private List<Integer> unsafeNames(int after) {
        List<Integer> unsafe = new ArrayList<>();
        for (int i = 0; i < after; i++) {
            switch (events.get(i)) {
                case Event.Named _, Event.Renamed _, Event.Deleted _ -> unsafe.add(i);
                case Event.ForcedFolder(String folder) ->
                    unsafe.removeIf(earlier -> foldersOf(events.get(earlier)).contains(folder));
                case Event.Wrote _, Event.Cut _, Event.Forced _, Event.Promised _ -> { }
            }
        }
        return unsafe;
    }

    private static List<String> foldersOf(Event event) {
        return switch (event) {
            case Event.Named(String path, int _) -> List.of(folderOf(path));
            case Event.Renamed(String from, String to) -> List.of(folderOf(from), folderOf(to));
            case Event.Deleted(String path) -> List.of(folderOf(path));
            case Event.Wrote _, Event.Cut _, Event.Forced _, Event.ForcedFolder _, Event.Promised _ -> List.of();
        };
    }

    /// What an event does to the names; nothing, where it builds on one that was lost.
    private static void apply(Event event, SortedMap<String, Integer> names) {
        switch (event) {
            case Event.Named(String path, int file) -> {
                if (isThere(folderOf(path), names)) names.put(path, file);
            }
            case Event.Renamed(String from, String to) -> {
                Integer file = names.get(from);
                if (file == null || !isThere(folderOf(to), names)) return;
                Map<String, Integer> moved = new LinkedHashMap<>();
                for (String path : List.copyOf(names.keySet())) {
                    boolean below = path.equals(from) || path.startsWith(from + "/");
                    if (below) moved.put(to + path.substring(from.length()), names.remove(path));
                }
                names.putAll(moved);
            }
            case Event.Deleted(String path) -> names.remove(path);
            case Event.Wrote _, Event.Cut _, Event.Forced _, Event.ForcedFolder _, Event.Promised _ -> { }
        }
    }

    private static boolean isThere(String folder, SortedMap<String, Integer> names) {
        return folder.isEmpty() || names.containsKey(folder);
    }

    private static String folderOf(String path) {
        return path.contains("/") ? path.substring(0, path.lastIndexOf('/')) : "";
    }

    private byte[] bytes(int file, int after, Bytes fate) {
        byte[] forced = startingBytes.getOrDefault(file, new byte[0]);
        byte[] current = forced;
        byte[] torn = forced;
        for (Event event : events.subList(0, after)) {
            switch (event) {
                case Event.Wrote(int of, long at, byte[] bytes) when of == file -> {
                    torn = with(current, at, bytes, bytes.length / 2);
                    current = with(current, at, bytes, bytes.length);
                }
                case Event.Cut(int of, long size) when of == file -> {
                    torn = current;
                    current = Arrays.copyOf(current, (int) size);
                }
                case Event.Forced(int of) when of == file -> {
                    forced = current;
                    torn = current;
                }
                default -> { }
            }
        }
        return switch (fate) {
            case KEPT -> current;
            case LOST -> forced;
            case TORN -> torn;
            case ZEROED -> zeroedWhereDifferent(forced, current);
        };
    }

    private static byte[] with(byte[] before, long at, byte[] bytes, int count) {
        byte[] after = Arrays.copyOf(before, Math.max(before.length, (int) at + count));
        System.arraycopy(bytes, 0, after, (int) at, count);
        return after;
    }

    private static byte[] zeroedWhereDifferent(byte[] forced, byte[] current) {
        byte[] zeroed = new byte[current.length];
        for (int i = 0; i < zeroed.length; i++) {
            if (i < forced.length && forced[i] == current[i]) zeroed[i] = current[i];
        }
        return zeroed;
    }
}
