package nocturne.desk;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.service.message.JobRequest;
import org.jspecify.annotations.Nullable;

/// A bundle on its way to the service: the zip itself, or a request that says where it is.
///
/// @param bundle   a zip or folder on this machine, or an address (`https:`, `s3:`, `file:`)
/// @param name     what to call it; null for the name of its file
/// @param id       the job id wanted; null for one made from the content
/// @param model    a pipeline instead of the one the recipe names; null for the recipe's
/// @param priority higher goes first; 0 is usual
/// @param rerun    train again although the same was trained before
/// @param sha256   of a zip elsewhere; null if it is not known
public record Submission(String bundle, @Nullable String name, @Nullable String id, @Nullable String model,
        int priority, boolean rerun, @Nullable String sha256) {
    /// In bytes; file systems allow 255, and the service adds to it.
    private static final int LONGEST_FILE_NAME = 160;

    /// Whether it says more than a zip alone can say.
    private boolean isSpecial() {
        return id != null || model != null || priority != 0 || rerun;
    }

    private boolean isAddress() {
        return bundle.matches("(?i)(https?|s3|file):.*");
    }

    /// Puts it into an inbox, whole or not at all.
    ///
    /// @param roots folders below which the service reads bundles where they lie
    /// @return the file in the inbox
    /// @throws UserMistake with what is wrong; nothing is in the inbox then
    public Path toInbox(Path inbox, List<Path> roots) {
        if (isAddress() || isSpecial()) {
            byte[] request = request(roots);
            Path file = free(inbox, ".job.json");
            AtomicFiles.write(file, request.length, out -> out.write(request));
            return file;
        }
        Path local = local();
        Package.check(local);
        Path file = free(inbox, ".zip");
        AtomicFiles.write(file, sizeOf(local), out -> Package.write(local, out));
        return file;
    }

    /// What it is as a message.
    ///
    /// @param value the zip, or a request in JSON
    /// @param name  for people; in a header, because a zip does not say it
    public record Message(byte[] value, String name) {}

    /// @param most  bytes of a message
    /// @param roots folders below which services read bundles where they lie
    /// @throws UserMistake with what is wrong
    public Message toMessage(int most, List<Path> roots) {
        if (isAddress() || isSpecial()) return new Message(request(roots), label());
        Path local = local();
        Package.check(local);
        return new Message(Package.bytes(local, most), label());
    }

    private byte[] request(List<Path> roots) {
        ObjectNode request = JsonNodeFactory.instance.objectNode().put("version", 1);
        if (id != null) request.put("id", id);
        request.put("name", label());
        ObjectNode where = request.putObject("bundle");
        if (isAddress()) {
            where.put("uri", bundle);
            if (sha256 != null) where.put("sha256", sha256);
        } else {
            Path local = local();
            Package.check(local);
            where.put("uri", reachable(local, roots).toUri().toString());
            if (!Files.isDirectory(local)) where.put("sha256", ContentHash.ofFile(local));
        }
        if (model != null) request.put("model", model);
        if (priority != 0) request.put("priority", priority);
        if (rerun) request.put("rerun", true);
        byte[] bytes = (request.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
        // Read as the service will read it, so that its complaints come at once.
        JobRequest.parse(bytes);
        return bytes;
    }

    /// @throws UserMistake `NOT_ALLOWED` if a service of this configuration would refuse to read it there
    private static Path reachable(Path local, List<Path> roots) {
        try {
            Path real = local.toRealPath();
            for (Path root : roots) if (Files.isDirectory(root) && real.startsWith(root.toRealPath())) return real;
        } catch (IOException e) {
            throw new SickMachine("READ_FAILED", "reading %s failed: %s".formatted(local, e.getMessage()), e);
        }
        throw new UserMistake("NOT_ALLOWED", Printable.of(local.toString()), ("--id, --model, --priority and --rerun"
                + " travel in a request that names the bundle where it lies, and the service reads only below"
                + " nocturne.sources.file-roots (%s). Add its folder there, or submit it without them.")
                .formatted(roots.isEmpty() ? "none so far" : roots));
    }

    private Path local() {
        try {
            return Path.of(bundle).toAbsolutePath().normalize();
        } catch (InvalidPathException e) {
            throw new UserMistake("BUNDLE_INVALID", Printable.of(bundle, 200), "is not a file name");
        }
    }

    /// What the job is called: as asked, or as the bundle's last folder or file is.
    private String label() {
        if (name != null) return name;
        String path = bundle;
        if (isAddress()) {
            try {
                path = String.valueOf(new URI(bundle).getPath());
            } catch (URISyntaxException e) {
                throw new UserMistake("MESSAGE_INVALID", Printable.of(bundle, 200),
                        "is not an address: " + e.getReason());
            }
        } else {
            path = String.valueOf(local().getFileName());
        }
        String file = path.replaceFirst("/+$", "");
        String last = file.substring(file.lastIndexOf('/') + 1).replaceFirst("(?i)\\.zip$", "");
        return last.isBlank() ? "job" : last;
    }

    /// A name in the inbox that nobody uses. The service takes a job's name from it.
    private Path free(Path inbox, String ending) {
        String safe = Printable.of(label()).replaceAll("[/\\\\\uFFFD]+", "-").replaceFirst("^[.~\\s]+", "").strip();
        String cut = safe;
        while (cut.getBytes(StandardCharsets.UTF_8).length > LONGEST_FILE_NAME) {
            cut = cut.substring(0, cut.offsetByCodePoints(cut.length(), -1)).strip();
        }
        Path file = inbox.resolve((cut.isEmpty() ? "job" : cut) + ending);
        if (Files.exists(file)) {
            throw new UserMistake("INBOX_NAME_TAKEN", file.toString(),
                    "lies there already and has not been taken yet. Wait for that, or choose another --name.");
        }
        return file;
    }

    private static long sizeOf(Path local) {
        try {
            return Files.isDirectory(local) ? 0 : Files.size(local);
        } catch (IOException unknown) {
            return 0;
        }
    }
}
