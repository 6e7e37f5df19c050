package nocturne.train;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import nocturne.io.AtomicFiles;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.recipe.Adaptation;
import nocturne.recipe.Rung;
import org.jspecify.annotations.Nullable;

/// Where a run lies on disk: results for the person at the top, what is needed to resume below `.state/`.
///
/// `job.json` says whose folder it is. A folder belongs to one run: the same bundle, recipe and model resume it,
/// anything else is refused and left as it is. Only a run that never got as far as training (bad input is often found
/// while things are prepared) is nobody's loss: what it left is replaced. One process holds the folder at a time.
final class JobFolder implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String JOB_FILE = "job.json";
    private static final String PREPARING = "preparing";
    /// Room kept for a few last words: enough for a failure with all its problems.
    private static final int RESERVE_BYTES = 1 << 16;

    private final Path root;
    private final String name;
    private final String fingerprint;
    private final FileChannel lockFile;

    /// What `job.json` says about whose folder it is.
    private record Owner(String fingerprint, String state) {}

    private JobFolder(Path root, String name, String fingerprint, FileChannel lockFile) {
        this.root = root;
        this.name = name;
        this.fingerprint = fingerprint;
        this.lockFile = lockFile;
    }

    /// Takes the folder for a run, making it if it is not there.
    ///
    /// @param name        of the recipe
    /// @param fingerprint hash of everything that decides the run's result
    /// @throws UserMistake `OUTPUT_IN_USE` if the folder holds anything else, or another process works in it;
    ///     `NOT_WRITABLE`
    /// @throws nocturne.problem.SickMachine `DISK_FULL` or `WRITE_FAILED`
    static JobFolder open(Path root, String name, String fingerprint) {
        try {
            if (Files.exists(root) && !Files.isDirectory(root)) {
                throw new UserMistake("OUTPUT_IN_USE", root.toString(), "is a file; choose a folder with --out.");
            }
            refuseAnothers(root, fingerprint);
            AtomicFiles.createFolders(root.resolve(".state"));
            FileChannel lockFile = FileChannel.open(root.resolve(".state/lock"), StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE);
            if (!lock(lockFile)) {
                lockFile.close();
                throw new UserMistake("OUTPUT_IN_USE", root.toString(),
                        "is being written by another Nocturne right now; wait for it, or choose another --out.");
            }
            JobFolder folder = new JobFolder(root, name, fingerprint, lockFile);
            try {
                folder.takePossession();
            } catch (IOException | RuntimeException e) {
                lockFile.close();
                throw e;
            }
            return folder;
        } catch (IOException e) {
            throw AtomicFiles.explained(e, root.resolve(JOB_FILE));
        }
    }

    private void takePossession() throws IOException {
        // Asked again, because another process may have come and gone before we held the lock.
        Owner owner = refuseAnothers(root, fingerprint);
        sweep();
        if (Files.notExists(reserve())) {
            AtomicFiles.write(reserve(), RESERVE_BYTES, out -> out.write(new byte[RESERVE_BYTES]));
        }
        if (owner != null && owner.fingerprint.equals(fingerprint)) return;
        Files.deleteIfExists(root.resolve("events.jsonl"));
        note(PREPARING, 0, 0);
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

    /// Changes nothing.
    ///
    /// @return the run the folder belongs to so far, null if to none
    private static @Nullable Owner refuseAnothers(Path root, String fingerprint) throws IOException {
        Owner owner = owner(root);
        if (owner == null && holdsAnything(root)) {
            throw new UserMistake("OUTPUT_IN_USE", root.toString(),
                    "is not empty and not a training run of ours; choose another folder with --out.");
        }
        if (owner != null && !owner.fingerprint.equals(fingerprint) && !owner.state.equals(PREPARING)) {
            throw new UserMistake("OUTPUT_IN_USE", root.toString(),
                    "holds another run: its pictures, captions, recipe, model or kind of device (--device, --eight-bit)"
                            + " were not the same as now. Nothing in it was touched. Choose another folder with --out,"
                            + " or move this one away.");
        }
        return owner;
    }

    private static @Nullable Owner owner(Path root) throws IOException {
        Path file = root.resolve(JOB_FILE);
        if (!Files.isRegularFile(file)) return null;
        try {
            JsonNode job = JSON.readTree(Files.readAllBytes(file));
            String fingerprint = job.path("fingerprint").asText();
            if (!fingerprint.isEmpty()) return new Owner(fingerprint, job.path("state").asText());
        } catch (JacksonException damaged) {
            // Told below.
        }
        throw new UserMistake("OUTPUT_IN_USE", file.toString(),
                "does not say whose folder this is: it is damaged, or not ours. Choose another folder with --out, or"
                        + " move this one away.");
    }

    private void sweep() {
        AtomicFiles.removeLeftovers(root);
        AtomicFiles.removeLeftovers(root.resolve(".state"));
        for (Path folder : List.of(samples(), samples().resolve(Probe.FOLDER))) {
            if (Files.isDirectory(folder)) AtomicFiles.removeLeftovers(folder);
        }
    }

    /// Says publicly how far the run is: `preparing` until the first step can be made; `completed` is the last thing
    /// ever written.
    void note(String state, long step, long steps) {
        ObjectNode job = JSON.createObjectNode();
        job.put("job", id()).put("state", state).put("step", step).put("steps", steps).put("fingerprint", fingerprint);
        AtomicFiles.writeString(root.resolve(JOB_FILE), job.toPrettyString() + "\n");
    }

    /// Makes room on a full disk for saying that it is full.
    void giveUpReserve() {
        try {
            Files.deleteIfExists(reserve());
        } catch (IOException stuck) {
            // Then the words are lost in the log, and said on the console alone.
        }
    }

    private Path reserve() {
        return state().resolve("reserve");
    }

    boolean isCompleted() {
        return job().path("state").asText().equals("completed");
    }

    /// The step whose state was saved last, as far as `job.json` knows; 0 before the first.
    int savedStep() {
        return job().path("step").asInt();
    }

    /// What of the recipe followed from the device when the run began; empty where that is not known.
    Optional<Adaptation> adaptation() {
        try {
            JsonNode kept = JSON.readTree(Files.readString(adaptationFile()));
            List<Rung> rungs = new ArrayList<>();
            for (JsonNode rung : kept.path("rungs")) rungs.add(Rung.valueOf(rung.asText()));
            OptionalInt card = kept.has("card") ? OptionalInt.of(kept.path("card").asInt()) : OptionalInt.empty();
            return Optional.of(new Adaptation(card, rungs));
        } catch (IOException | IllegalArgumentException unreadable) {
            return Optional.empty();
        }
    }

    /// Remembers what the run begins with. What was drawn by a run that had begun otherwise, and saved nothing, goes.
    ///
    /// @throws SickMachine `DISK_FULL` or `WRITE_FAILED`
    void adaptTo(Adaptation device) {
        if (adaptation().filter(before -> !before.equals(device)).isPresent()) removeSamples();
        ObjectNode kept = JSON.createObjectNode();
        device.cardGib().ifPresent(gib -> kept.put("card", gib));
        ArrayNode rungs = kept.putArray("rungs");
        for (Rung rung : device.rungs()) rungs.add(rung.name());
        AtomicFiles.writeString(adaptationFile(), kept + "\n");
    }

    private void removeSamples() {
        if (!Files.isDirectory(samples())) return;
        try (Stream<Path> files = Files.list(samples())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) Files.delete(file);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, samples());
        }
    }

    private Path adaptationFile() {
        return state().resolve("device.json");
    }

    private JsonNode job() {
        try {
            return JSON.readTree(Files.readString(root.resolve(JOB_FILE)));
        } catch (IOException e) {
            throw new SickMachine("STATE_UNREADABLE", "reading " + root.resolve(JOB_FILE) + ": " + e, e);
        }
    }

    /// A name for the run that is the same whenever and wherever the same run is started; it goes into the files.
    String id() {
        return name + "-" + fingerprint.substring(0, 8);
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
