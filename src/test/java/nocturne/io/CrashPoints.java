package nocturne.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The crash points of the program, read from its sources, so that a test that goes through them forgets none.
public final class CrashPoints {
    private static final Path SOURCES = Path.of("src/main/java");
    private static final Pattern CALL = Pattern.compile("CrashPoint\\.at\\((\"([^\"]+)\")?");

    private CrashPoints() {}

    /// Every name, with the file it stands in relative to `src/main/java`. A name that is put together from a state's
    /// ends with a dot: `transition.`
    public static SortedMap<String, String> all() {
        SortedMap<String, String> names = new TreeMap<>();
        for (Path file : sources()) {
            Matcher calls = CALL.matcher(read(file));
            while (calls.find()) {
                String name = calls.group(2);
                if (name == null) throw new AssertionError(file + ": begin with a text: " + calls.group());
                names.put(name, SOURCES.relativize(file).toString());
            }
        }
        return names;
    }

    /// The names in one package, and those below it.
    ///
    /// @param folder such as `nocturne/job`
    public static List<String> in(String folder) {
        List<String> names = new ArrayList<>();
        all().forEach((name, file) -> {
            if (file.startsWith(folder + "/")) names.add(name);
        });
        return names;
    }

    private static List<Path> sources() {
        try (Stream<Path> files = Files.walk(SOURCES)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !file.endsWith("CrashPoint.java")).sorted().toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
