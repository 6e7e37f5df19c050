package nocturne;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The real `./nocturne` script, in a folder of its own, with pretended JDKs and a pretended Maven.
///
/// A pretended java prints what it was started with; a pretended mvn makes a jar and counts its calls.
@DisabledOnOs(OS.WINDOWS)
final class LauncherTest {
    private static final String INCUBATOR_WARNING = "WARNING: Using incubator modules: jdk.incubator.vector";

    @TempDir
    private Path folder = Path.of("");

    private Path home = Path.of("");
    private Path jdks = Path.of("");
    private Path bin = Path.of("");

    @BeforeEach
    void copyTheScriptBesideNothingBuilt() throws IOException {
        // Spaces, because users have them in their folders.
        home = Files.createDirectories(folder.resolve("my nocturne"));
        jdks = Files.createDirectories(folder.resolve("the jdks"));
        bin = Files.createDirectories(folder.resolve("bin"));
        Files.copy(Path.of("nocturne"), home.resolve("nocturne"));
        Path shell = Files.createDirectories(home.resolve("src/main/shell"));
        // The JDKs of this machine must not be found, so the list of places is ours; what is made of it is not.
        Files.writeString(
                shell.resolve("find-jdk.sh"),
                Files.readString(Path.of("src/main/shell/find-jdk.sh"))
                        + "jdk_candidates() { printf '%s\\n' \"${JAVA_HOME:-}\" \"$JDKS\"/*; }\n");
        Files.writeString(home.resolve("pom.xml"), "<project/>");
        script(bin.resolve("mvn"), """
                echo call >>maven-calls
                [ ! -e broken ] || { echo "cannot find symbol"; exit 1; }
                sleep 0.2
                mkdir -p target/lib && echo "$JAVA_HOME" >target/nocturne.jar
                """);
    }

    @Test
    void withoutAJdkItSaysWhatToInstall() {
        jdk("jdk-17", "17.0.15");
        jdk("jdk-8", "1.8.0_392");
        Ended ended = launch("--help");
        assertThat(ended.code).isEqualTo(69);
        assertThat(ended.err).contains("JDK, version 25", "Temurin 25");
        assertThat(home.resolve("maven-calls")).doesNotExist();
    }

    @Test
    void takesTheFirstJdkThatIsNewEnough() {
        jdk("a 17", "17.0.15");
        jdk("b 25", "25.0.3");
        jdk("c 26", "26-ea");
        assertThat(launch().out).startsWith("java of b 25\n");
    }

    @Test
    void prefersJavaHomeUnlessItIsTooOldOrOnlyARuntime() throws IOException {
        jdk("b 25", "25.0.3");
        Path newer = jdk("c 26", "26.0.1");
        Path old = jdk("d 17", "17.0.15");
        assertThat(launch(Map.of("JAVA_HOME", newer.toString())).out).startsWith("java of c 26\n");
        assertThat(launch(Map.of("JAVA_HOME", old.toString())).out).startsWith("java of b 25\n");
        Files.delete(newer.resolve("bin/javac"));
        assertThat(launch(Map.of("JAVA_HOME", newer.toString())).out).startsWith("java of b 25\n");
    }

    @Test
    void buildsWithTheJdkItFoundAndOnlyWhenSomethingChanged() throws IOException {
        Path jdk = jdk("jdk", "25");
        assertThat(launch().err).contains("building (first use, about a minute) ...");
        assertThat(home.resolve("target/nocturne.jar")).content().isEqualTo(jdk + "\n");
        assertThat(launch().err).doesNotContain("building");
        assertThat(mavenCalls()).isEqualTo(1);

        Path source = Files.writeString(home.resolve("src/main/shell/New.java"), "class New {}");
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(2)));
        launch();
        assertThat(mavenCalls()).isEqualTo(2);

        Path kernel = Files.writeString(Files.createDirectories(home.resolve("kernels")).resolve("new.cu"), "");
        Files.setLastModifiedTime(kernel, FileTime.from(Instant.now().plusSeconds(4)));
        launch();
        assertThat(mavenCalls()).isEqualTo(3);
    }

    @Test
    void twoFirstLaunchesAtOnceBuildOnce() throws Exception {
        jdk("jdk", "25");
        Process one = start(Map.of());
        Process two = start(Map.of());
        assertThat(List.of(one.waitFor(), two.waitFor())).containsExactly(7, 7);
        assertThat(mavenCalls()).isEqualTo(1);
    }

    @Test
    void aBrokenBuildShowsWhatMavenSaid() throws IOException {
        jdk("jdk", "25");
        Files.createFile(home.resolve("broken"));
        Ended ended = launch();
        assertThat(ended.code).isEqualTo(70);
        assertThat(ended.err).contains("cannot find symbol", "could not be built");
    }

    @Test
    void handsArgumentsOptionsAndExitCodeThroughUnchanged() {
        jdk("jdk", "25");
        Ended ended = launch(Map.of("NOCTURNE_JAVA_OPTS", "-Xmx1g -Da=*"), "train", "my pictures", "", "*");
        assertThat(ended.code).isEqualTo(7);
        assertThat(ended.out.lines())
                .contains("-Xmx1g", "-Da=*", "-Dnocturne.home=" + real(home))
                .endsWith("-jar", real(home) + "/target/nocturne.jar", "train", "my pictures", "", "*");
    }

    @Test
    void hidesTheIncubatorWarningAndNothingElse() throws IOException {
        jdk("jdk", "25");
        launch();
        // A pipe ends when its last writer, the filter, is done; a process ends, for its parent, before that.
        Path collect = script(bin.resolve("collect"), "\"$1\" 2>&1 >/dev/null | cat\n");
        assertThat(end(start(collect, home, Map.of(), home.resolve("nocturne").toString())).out)
                .isEqualTo("first\n  last, without a line end");
    }

    /// Java would refuse every path outside ASCII, such as a picture called "Café.png".
    @Test
    void givesJavaALocaleInWhichAllFileNamesCanBeSaid() throws IOException {
        Path jdk = jdk("jdk", "25");
        script(jdk.resolve("bin/java"), "echo \"${LC_ALL:-} ${LANG:-}\"\n");
        assertThat(launch(Map.of("LC_ALL", "C", "LANG", "de_DE.UTF-8")).out).isEqualTo("C.UTF-8 de_DE.UTF-8\n");
        assertThat(launch(Map.of("LC_ALL", "", "LC_CTYPE", "", "LANG", "POSIX")).out).isEqualTo("C.UTF-8 POSIX\n");
        assertThat(launch(Map.of("LC_ALL", "", "LC_CTYPE", "", "LANG", "de_DE.UTF-8")).out)
                .isEqualTo(" de_DE.UTF-8\n");
    }

    /// What the program itself has to say must have arrived when it ends, so it does not take the filter's way.
    @Test
    void leavesTheUnfilteredStandardErrorToJavaAsDescriptor3() throws IOException {
        Path jdk = jdk("jdk", "25");
        script(jdk.resolve("bin/java"), "echo said >&3\nprintf '%s\\n' \"$@\"\n");
        launch();
        Ended ended = launch();
        assertThat(ended.err).isEqualTo("said\n");
        assertThat(ended.out.lines()).contains("-Dnocturne.stderr=3");
    }

    @Test
    void givesTheServiceLittleMemoryAndNoVectorUnit() {
        jdk("jdk", "25");
        Map<String, String> environment = Map.of("NOCTURNE_AOT", "off", "NOCTURNE_JAVA_OPTS", "-Xmx1g");
        Ended ended = launch(environment, "--debug", "serve", "-Da=b");
        assertThat(ended.code).isEqualTo(7);
        assertThat(ended.out.lines()).contains("-XX:TieredStopAtLevel=1", "-Dnocturne.home=" + real(home))
                .doesNotContain("--add-modules", "-Dnocturne.stderr=3")
                .endsWith("-Xmx1g", "-jar", real(home) + "/target/nocturne.jar", "--debug", "serve", "-Da=b");
        assertThat(ended.err).as("nothing stands between the service and its standard error")
                .contains(INCUBATOR_WARNING);
    }

    /// The cache is what an earlier start of the same jar under the same Java left; anything else starts without.
    @Test
    void startsFromTheCacheOnlyWhileItIsYoungerThanTheJar() throws IOException {
        Path jdk = jdk("jdk", "25");
        script(jdk.resolve("bin/java"), """
                for word in "$@"; do
                    case $word in -XX:AOTCacheOutput=*) touch "${word#*=}" && exit 0 ;; esac
                done
                printf '%s\\n' "$@"
                """);
        assertThat(launch("jobs").out).doesNotContain("AOTCache");

        assertThat(launch("serve", "--rehearse").code).isZero();
        assertThat(launch("jobs").out).contains("-XX:AOTCache=" + real(home) + "/target/nocturne-");
        assertThat(launch(Map.of("NOCTURNE_AOT", "off"), "jobs").out).doesNotContain("AOTCache");
        assertThat(launch("train", "x").out).as("another heap, other modules").doesNotContain("AOTCache");

        Files.setLastModifiedTime(home.resolve("target/nocturne.jar"), FileTime.from(Instant.now().plusSeconds(60)));
        assertThat(launch("jobs").out).doesNotContain("AOTCache");
    }

    @Test
    void aRehearsalThatFailsLeavesNothingBehind() throws IOException {
        jdk("jdk", "25");
        launch();
        assertThat(launch("serve", "--rehearse").code).isEqualTo(7);
        assertThat(home.resolve("target")).isDirectoryNotContaining(file -> file.toString().contains(".aot"));
    }

    @Test
    void isFoundThroughALinkFromAnywhere() throws IOException {
        jdk("jdk", "25");
        Path link = Files.createSymbolicLink(bin.resolve("nocturne"), Path.of("../my nocturne/nocturne"));
        Ended ended = end(start(link, folder, Map.of()));
        assertThat(ended.out).contains("-Dnocturne.home=" + real(home) + "\n");
    }

    @Test
    void runsWithStandardErrorClosed() throws IOException {
        jdk("jdk", "25");
        Path closing = script(bin.resolve("closing"), "exec \"$1\" 2>&-\n");
        Ended ended = end(start(closing, home, Map.of(), home.resolve("nocturne").toString()));
        assertThat(ended.code).isEqualTo(7);
        assertThat(ended.out).startsWith("java of jdk\n");
    }

    /// How a launch ended.
    private record Ended(int code, String out, String err) {}

    private Ended launch(String... arguments) {
        return launch(Map.of(), arguments);
    }

    private Ended launch(Map<String, String> environment, String... arguments) {
        return end(start(environment, arguments));
    }

    private Process start(Map<String, String> environment, String... arguments) {
        return start(home.resolve("nocturne"), home, environment, arguments);
    }

    private Process start(Path script, Path directory, Map<String, String> environment, String... arguments) {
        List<String> command = new ArrayList<>(List.of(script.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
        builder.environment().remove("JAVA_HOME");
        builder.environment().remove("NOCTURNE_JAVA_OPTS");
        builder.environment().put("JDKS", jdks.toString());
        builder.environment().put("PATH", bin + ":" + System.getenv("PATH"));
        builder.environment().putAll(environment);
        try {
            return builder.start();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /// Reads both streams; the script writes far less than a pipe holds, so one after the other is safe.
    private static Ended end(Process process) {
        try {
            String out = new String(process.getInputStream().readAllBytes(), UTF_8);
            String err = new String(process.getErrorStream().readAllBytes(), UTF_8);
            return new Ended(process.waitFor(), out, err);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (InterruptedException failure) {
            throw new AssertionError(failure);
        }
    }

    private Path jdk(String name, String version) {
        try {
            Path jdk = Files.createDirectories(jdks.resolve(name));
            Files.createDirectories(jdk.resolve("bin"));
            Files.writeString(jdk.resolve("release"), "IMPLEMENTOR=\"us\"\nJAVA_VERSION=\"" + version + "\"\n");
            script(jdk.resolve("bin/javac"), "exit 1\n");
            script(jdk.resolve("bin/java"), """
                    { echo '%s'; echo first; printf '  last, without a line end'; } >&2
                    echo "java of %s"
                    printf '%%s\\n' "$@"
                    exit 7
                    """.formatted(INCUBATOR_WARNING, name));
            return jdk;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static Path script(Path file, String body) throws IOException {
        Files.writeString(file, "#!/usr/bin/env bash\n" + body);
        assertThat(file.toFile().setExecutable(true)).isTrue();
        return file;
    }

    private long mavenCalls() throws IOException {
        try (var lines = Files.lines(home.resolve("maven-calls"))) {
            return lines.count();
        }
    }

    /// The path the script sees: macOS keeps its temporary folders behind a link.
    private static String real(Path path) {
        try {
            return path.toRealPath().toString();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
