package nocturne.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The hostile pictures, read in a process that has 256 MB and would end at the first thing it cannot hold.
class HostilePictureTest {
    private static final String MEMORY = "-Xmx256m";

    /// Reads every file of a folder and says for each what came of it.
    static final class Reader {
        private Reader() {}

        public static void main(String[] arguments) throws IOException {
            PictureReader reader = PictureReader.standard();
            try (Stream<Path> files = Files.list(Path.of(arguments[0]))) {
                for (Path file : files.sorted().toList()) {
                    System.out.println(file.getFileName() + "\t" + read(reader, file));
                }
            }
        }

        private static String read(PictureReader reader, Path file) {
            try {
                reader.inspect(file);
                Picture picture = reader.read(file, Background.WHITE);
                boolean red = picture.at(5, 5, 0) > 200 && picture.at(5, 5, 1) < 60 && picture.at(5, 5, 2) < 60;
                return picture.width() + "x" + picture.height() + (red ? " red" : " not red");
            } catch (UserMistake mistake) {
                return "refused: " + mistake.getMessage().lines().findFirst().orElse("");
            }
        }
    }

    @TempDir
    private Path folder = Path.of("");

    @Test
    @Promise(row = 7, fault = "60,000 x 60,000 in 50 KB, zTXt, iTXt and iCCP bombs of 512 MB, 10,000 frames and scans,"
            + " polyglots with zip, script and XML, other formats, cut-off files; -Xmx256m")
    void eachIsRefusedWithWordsOrReadForWhatItIs() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Map<String, byte[]> files = HostilePictures.all(server.getLocalPort());
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                Files.write(folder.resolve(file.getKey()), file.getValue());
            }
            assertThat(files.get("refused-60000x60000-in-50KB.png")).hasSizeBetween(50_000, 51_000);
            Map<String, String> answers = answers();
            assertThat(answers.keySet()).containsExactlyInAnyOrderElementsOf(files.keySet());
            answers.forEach((name, answer) -> {
                if (name.startsWith("refused-")) assertThat(answer).as(name).startsWith("refused: ");
                else assertThat(answer).as(name).isEqualTo("48x32 red");
            });
            server.setSoTimeout(1);
            assertThat(calls(server)).as("calls to the server that the pictures name").isZero();
        }
    }

    private Map<String, String> answers() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), MEMORY,
                "-XX:+UseSerialGC", "-cp",
                System.getProperty("java.class.path"), Reader.class.getName(), folder.toString())
                .redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        Map<String, String> answers = new LinkedHashMap<>();
        for (String line : output.lines().toList()) {
            String[] parts = line.split("\t", 2);
            assertThat(parts).as(line).hasSize(2);
            answers.put(parts[0], parts[1]);
        }
        return answers;
    }

    private static int calls(ServerSocket server) throws IOException {
        int calls = 0;
        while (true) {
            try {
                server.accept().close();
                calls++;
            } catch (SocketTimeoutException nobody) {
                return calls;
            }
        }
    }
}
