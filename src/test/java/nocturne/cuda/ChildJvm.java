package nocturne.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// A Java process with our class path, to look at what native libraries do to one.
public final class ChildJvm {
    /// What it printed, both streams together, and how it ended.
    public record End(int code, String text) {}

    private ChildJvm() {}

    public static List<String> words(Class<?> main, String... arguments) {
        List<String> words = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("java.class.path"), main.getName()));
        words.addAll(List.of(arguments));
        return words;
    }

    /// Runs a main class to its end.
    ///
    /// @param environment beside this process's own
    public static End run(Map<String, String> environment, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        Path output = Files.createTempFile("nocturne-child-", ".txt");
        try {
            ProcessBuilder builder = new ProcessBuilder(words(main, arguments)).redirectErrorStream(true)
                    .redirectOutput(output.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            if (!process.waitFor(2, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IOException("no end after two minutes: " + builder.command());
            }
            return new End(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8).strip());
        } finally {
            Files.delete(output);
        }
    }
}
