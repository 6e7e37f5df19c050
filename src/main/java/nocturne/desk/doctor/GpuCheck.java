package nocturne.desk.doctor;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Cards, their driver and the libraries that go with them; found by asking `nvidia-smi` and looking for files.
final class GpuCheck implements Check {
    private static final Path DEVICES = Path.of("/dev");
    private static final List<String> USUAL_FOLDERS = List.of("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
            "/usr/lib64", "/usr/local/cuda/lib64", "/usr/local/nvidia/lib64", "/usr/lib/wsl/lib");

    /// A library, and what is lost without it.
    private record Library(String prefix, String without, boolean needed) {}

    private static final List<Library> LIBRARIES = List.of(
            new Library("libcuda.so.", "the driver's own library: no card can be used", true),
            new Library("libnvrtc.so.", "compiles the kernels for the card: none can be started", true),
            new Library("libcublasLt.so.", "fast matrix products: ours are used instead", false),
            new Library("libcudnn.so.", "fast attention: ours is used instead", false));

    private final Map<String, String> environment;

    GpuCheck(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public List<Finding> look() throws InterruptedException, IOException {
        Optional<Tool.Answer> answer = Tool.ask(List.of("nvidia-smi",
                "--query-gpu=index,name,memory.total,driver_version", "--format=csv,noheader,nounits"));
        if (answer.isEmpty()) return List.of(withoutTool());
        if (answer.get().code() != 0) {
            return List.of(Finding.problem("GPU", "nvidia-smi fails: " + answer.get().text().strip(),
                    "Mend the driver (is its module loaded? does its version fit the kernel?), or start the machine"
                            + " anew."));
        }
        List<Finding> findings = new ArrayList<>();
        for (String line : answer.get().text().strip().split("\n")) {
            String[] parts = line.split(",\\s*");
            findings.add(parts.length == 4
                    ? Finding.ok("GPU", "cuda:%s is a %s with %s MiB, driver %s".formatted((Object[]) parts))
                    : Finding.note("GPU", "nvidia-smi says " + line, "Nothing, if that is what you expect."));
        }
        for (Library library : LIBRARIES) findings.add(library(library));
        return findings;
    }

    private static Finding withoutTool() throws IOException {
        try (DirectoryStream<Path> cards = Files.newDirectoryStream(DEVICES, "nvidia[0-9]*")) {
            if (cards.iterator().hasNext()) {
                return Finding.problem("GPU", "there is a card (" + DEVICES + "/nvidia*), but no nvidia-smi",
                        "Install the driver's tools; in a container ask for the capability \"utility\".");
            }
        }
        return Finding.note("GPU", "none that could be seen (no nvidia-smi)",
                "Jobs run on the processor, which is enough for small models only. If there is a card, install its"
                        + " driver; in a container, start it with --gpus all.");
    }

    private Finding library(Library library) throws InterruptedException {
        Optional<String> place = find(library.prefix());
        if (place.isPresent()) return Finding.ok("CUDA", place.get());
        String missing = library.prefix() + "* is not there: " + library.without();
        return library.needed()
                ? Finding.problem("CUDA", missing, "Install it, or name its folder in LD_LIBRARY_PATH.")
                : Finding.note("CUDA", missing, "Install it for more speed.");
    }

    private Optional<String> find(String prefix) throws InterruptedException {
        List<String> folders = new ArrayList<>(
                Arrays.asList(environment.getOrDefault("LD_LIBRARY_PATH", "").split(":")));
        folders.addAll(USUAL_FOLDERS);
        for (String folder : folders) {
            if (folder.isEmpty() || !Files.isDirectory(Path.of(folder))) continue;
            try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of(folder), prefix + "*")) {
                for (Path file : files) return Optional.of(file.toString());
            } catch (IOException unreadable) {
                // Then the loader cannot find it there either.
            }
        }
        return Tool.ask(List.of("/sbin/ldconfig", "-p")).stream().flatMap(answer -> answer.text().lines())
                .filter(line -> line.strip().startsWith(prefix) && line.contains("=> "))
                .map(line -> line.substring(line.indexOf("=> ") + 3).strip()).findFirst();
    }
}
