package nocturne.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import nocturne.io.AtomicFiles;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// Where a run lies on disk: results for the person at the top, what is needed to resume below `.state/`.
///
/// `job.json` says whose folder it is. A folder belongs to one run: the same bundle, recipe and model resume it,
/// anything else is refused and left as it is. One process holds it at a time.
final class JobFolder implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String JOB_FILE = "job.json";

    private final Path root;
    private final String fingerprint;
    private final FileChannel lockFile;

    private JobFolder(Path root, String fingerprint, FileChannel lockFile) {
        this.root = root;
        this.fingerprint = fingerprint;
        this.lockFile = lockFile;
    }

    /// Takes the folder for a run, making it if it is not there.
    ///
    /// @param fingerprint hash of everything that decides the run's result
    /// @throws UserMistake `OUTPUT_IN_USE` if the folder holds anything else, or another process works in it
    static JobFolder open(Path root, String fingerprint) {
        try {
            if (Files.exists(root) && !Files.isDirectory(root)) {
                throw new UserMistake("OUTPUT_IN_USE", root.toString(), "is a file; choose a folder with --out.");
            }
            String owner = owner(root);
            if (owner == null && holdsAnything(root)) {
                throw new UserMistake("OUTPUT_IN_USE", root.toString(),
                        "is not empty and not a training run of ours; choose another folder with --out.");
            }
            if (owner != null && !owner.equals(fingerprint)) {
                throw new UserMistake("OUTPUT_IN_USE", root.toString(),
                        "holds another run: its pictures, captions, recipe or model were not the same as now. Nothing "
                                + "in it was touched. Choose another folder with --out, or move this one away.");
            }
            Files.createDirectories(root.resolve(".state"));
            FileChannel lockFile = FileChannel.open(root.resolve(".state/lock"), StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE);
            if (!lock(lockFile)) {
                lockFile.close();
                throw new UserMistake("OUTPUT_IN_USE", root.toString(),
                        "is being written by another Nocturne right now; wait for it, or choose another --out.");
            }
            JobFolder folder = new JobFolder(root, fingerprint, lockFile);
            folder.sweep();
            if (owner == null) folder.note("running", 0, 0);
            return folder;
        } catch (IOException e) {
            throw new SickMachine("OUTPUT_UNUSABLE", "opening the output folder " + root + ": " + e, e);
        }
    }

    private static boolean lock(FileChannel file) throws IOException {
        try {
            FileLock lock = file.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException held) {
            return false;
        }
    }

    private static boolean holdsAnything(Path root) throws IOException {
        if (!Files.isDirectory(root)) return false;
        try (Stream<Path> entries = Files.list(root)) {
            // A run that was killed before its first word leaves only an empty state folder and half-written files.
            return entries.anyMatch(entry -> !entry.endsWith(".state") && !AtomicFiles.isLeftover(entry));
        }
    }

    /// The fingerprint of the run a folder belongs to, null if to none.
    private static @Nullable String owner(Path root) throws IOException {
        Path file = root.resolve(JOB_FILE);
        if (!Files.isRegularFile(file)) return null;
        JsonNode job = JSON.readTree(Files.readString(file));
        JsonNode fingerprint = job == null ? null : job.path("fingerprint");
        return fingerprint == null || !fingerprint.isTextual() ? "unreadable" : fingerprint.textValue();
    }

    private void sweep() {
        AtomicFiles.removeLeftovers(root);
        AtomicFiles.removeLeftovers(root.resolve(".state"));
        if (Files.isDirectory(root.resolve("samples"))) AtomicFiles.removeLeftovers(root.resolve("samples"));
    }

    /// Says publicly how far the run is; `completed` is the last thing ever written.
    void note(String state, long step, long steps) {
        ObjectNode job = JSON.createObjectNode();
        job.put("job", id()).put("state", state).put("step", step).put("steps", steps).put("fingerprint", fingerprint);
        AtomicFiles.writeString(root.resolve(JOB_FILE), job.toPrettyString() + "\n");
    }

    boolean isCompleted() {
        try {
            return JSON.readTree(Files.readString(root.resolve(JOB_FILE))).path("state").asText().equals("completed");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A name for the run that is the same whenever the same run is started: folder name and part of its fingerprint.
    String id() {
        return root.getFileName() + "-" + fingerprint.substring(0, 8);
    }

    Path root() {
        return root;
    }

    Path state() {
        return root.resolve(".state");
    }

    Path samples() {
        return root.resolve("samples");
    }

    @Override
    public void close() {
        try {
            lockFile.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
