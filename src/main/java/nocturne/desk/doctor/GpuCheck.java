package nocturne.desk.doctor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Cards, their driver and the libraries that go with them, as `nocturne devices` finds them.
///
/// That runs as a child: it asks the driver itself, and a broken driver hangs or ends whoever asks. `nvidia-smi` is
/// asked too, because the service watches the cards' health through it.
final class GpuCheck implements Check {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String MEND = "Mend the driver (is its module loaded? does its version fit the kernel?), or"
            + " start the machine anew.";

    private final List<String> devices;
    private final List<String> health;
    private final Path deviceFiles;

    GpuCheck() {
        this(ourselves(), List.of("nvidia-smi", "-L"), Path.of("/dev"));
    }

    /// @param devices     the words that run `nocturne devices --json`
    /// @param health      a question that `nvidia-smi` answers
    /// @param deviceFiles where the system shows its devices
    GpuCheck(List<String> devices, List<String> health, Path deviceFiles) {
        this.devices = devices;
        this.health = health;
        this.deviceFiles = deviceFiles;
    }

    private static List<String> ourselves() {
        return List.of(ProcessHandle.current().info().command().orElse("java"), "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED", "-cp", classPath(), "nocturne.Main",
                "devices", "--json");
    }

    private static String classPath() {
        List<String> entries = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path", "").split(File.pathSeparator)) {
            entries.add(Path.of(entry).toAbsolutePath().toString());
        }
        return String.join(File.pathSeparator, entries);
    }

    @Override
    public List<Finding> look() throws InterruptedException, IOException {
        Tool.Answer answer = Tool.ask(devices).orElseThrow(() -> new IOException("cannot start " + devices.getFirst()));
        JsonNode found = parsed(answer.text());
        if (answer.code() != 0 || !found.isObject()) {
            return List.of(Finding.problem("GPU", "asking the driver ended with code %d: %s".formatted(answer.code(),
                    answer.text().strip()), MEND));
        }
        if (found.has("absent")) return List.of(absent(found.path("absent")));
        List<Finding> findings = new ArrayList<>();
        boolean compiler = true;
        for (JsonNode card : found.path("devices")) {
            findings.add(card(card, found.path("driver").asText()));
            compiler &= card.path("kernels").asBoolean() || !card.path("usable").asBoolean();
        }
        findings.addAll(health());
        for (JsonNode library : found.path("libraries")) findings.add(library(library));
        if (!compiler) {
            findings.add(Finding.problem("CUDA", "there are no kernels for a card, and no NVRTC to compile them",
                    "Install NVRTC (cuda-nvrtc-13-0, or pip install nvidia-cuda-nvrtc)."));
        }
        return findings;
    }

    /// The last line: what the virtual machine has to say about itself comes before it.
    private static JsonNode parsed(String text) {
        try {
            return JSON.readTree(text.strip().lines().reduce("", (before, line) -> line));
        } catch (JsonProcessingException otherWords) {
            return JSON.missingNode();
        }
    }

    private Finding absent(JsonNode absent) throws IOException {
        String reason = absent.path("reason").asText();
        try (DirectoryStream<Path> cards = Files.newDirectoryStream(deviceFiles, "nvidia[0-9]*")) {
            if (cards.iterator().hasNext()) {
                return Finding.problem("GPU", "there is a card (%s/nvidia*), and it cannot be used: %s".formatted(
                        deviceFiles, reason), absent.path("remedy").asText());
            }
        }
        return Finding.note("GPU", "none: " + reason, "Jobs run on the processor, which is enough for small models"
                + " only. " + absent.path("remedy").asText());
    }

    private static Finding card(JsonNode card, String driver) {
        String what = "%s is %s, driver for CUDA %s".formatted(card.path("device").asText(), card.path("card").asText(),
                driver);
        return card.path("usable").asBoolean() ? Finding.ok("GPU", what)
                : Finding.note("GPU", what + "; it is too old", "Name the other devices in nocturne.slots.");
    }

    private List<Finding> health() throws InterruptedException {
        Optional<Tool.Answer> answer = Tool.ask(health);
        if (answer.isEmpty()) {
            return List.of(Finding.note("GPU", "there is no nvidia-smi, so nobody watches the cards' health",
                    "Install the driver's tools; in a container ask for the capability \"utility\"."));
        }
        if (answer.get().code() == 0) return List.of();
        return List.of(Finding.problem("GPU", "nvidia-smi fails: " + answer.get().text().strip(), MEND));
    }

    private static Finding library(JsonNode library) {
        if (library.has("file")) return Finding.ok("CUDA", library.path("file").asText());
        String missing = "%s was not found: %s".formatted(library.path("name").asText(),
                library.path("without").asText());
        String remedy = library.path("remedy").asText();
        return library.path("needed").asBoolean() ? Finding.problem("CUDA", missing, remedy)
                : Finding.note("CUDA", missing, remedy);
    }
}
