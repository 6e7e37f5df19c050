package nocturne.service.kafka;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import nocturne.io.AtomicFiles;
import nocturne.io.FolderTree;
import nocturne.service.message.JobRequest;
import org.jspecify.annotations.Nullable;

/// What this host is about to claim, or has claimed and not yet made a job of: on the disk before the claim is made.
///
/// ```
/// work/pending/<batch>/claims.json     complete as soon as it is there
/// work/pending/<batch>/<request>.zip   where the request is the bundle itself
/// ```
final class Pending {
    private static final String LIST = "claims.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path root;

    Pending(Path root) {
        this.root = root;
    }

    /// One request of a batch.
    ///
    /// @param claim what is said of it on the claims topic
    /// @param name  what its sender calls it
    /// @param job   what is asked for; null where the bundle was the message
    /// @param zip   that bundle; null where it has to be fetched
    record Item(Claim claim, String name, @Nullable JobRequest job, @Nullable Path zip) {}

    /// Requests that are claimed together.
    ///
    /// @param isOld written by an earlier run of this service
    record Batch(Path folder, List<Item> items, boolean isOld) {
        Batch {
            items = List.copyOf(items);
        }
    }

    private record Listed(Claim claim, String name, @Nullable String request) {}

    /// Writes a batch down; it is on the disk when this returns.
    ///
    /// @throws nocturne.problem.SickMachine if the disk refuses
    Batch write(List<Claim> claims, List<Envelope> requests) {
        Path folder = root.resolve(UUID.randomUUID().toString());
        List<Listed> list = new ArrayList<>();
        List<Item> items = new ArrayList<>();
        try {
            for (int i = 0; i < claims.size(); i++) {
                Claim claim = claims.get(i);
                Envelope request = requests.get(i);
                Path zip = request.job() == null ? folder.resolve(claim.request() + ".zip") : null;
                if (zip != null) AtomicFiles.write(zip, request.value().length, out -> out.write(request.value()));
                list.add(new Listed(claim, request.name(),
                        zip != null ? null : new String(request.value(), StandardCharsets.UTF_8)));
                items.add(new Item(claim, request.name(), request.job(), zip));
            }
            byte[] json = JSON.writeValueAsBytes(list);
            AtomicFiles.write(folder.resolve(LIST), json.length, out -> out.write(json));
            AtomicFiles.forceFolder(root);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, folder);
        }
        return new Batch(folder, items, false);
    }

    /// Forgets a batch: nothing of it was claimed, or all of it has become jobs. A folder that cannot be deleted is
    /// looked at again at the next start, which does no harm.
    void forget(Batch batch) {
        delete(batch.folder());
    }

    /// What an earlier run of this service left.
    List<Batch> left() {
        List<Batch> batches = new ArrayList<>();
        for (Path folder : folders()) {
            try {
                batches.add(read(folder));
            } catch (IOException | RuntimeException unreadable) {
                // Without its list nothing of it was claimed. With a list that cannot be read just now, something may
                // have been: it stays for the next start.
                if (Files.notExists(folder.resolve(LIST))) delete(folder);
            }
        }
        return batches;
    }

    private List<Path> folders() {
        if (Files.notExists(root)) return List.of();
        try (Stream<Path> entries = Files.list(root)) {
            return entries.sorted().toList();
        } catch (IOException e) {
            throw AtomicFiles.explained(e, root);
        }
    }

    private static Batch read(Path folder) throws IOException {
        List<Item> items = new ArrayList<>();
        for (Listed listed : JSON.readValue(Files.readAllBytes(folder.resolve(LIST)), Listed[].class)) {
            String request = listed.request();
            items.add(request == null
                    ? new Item(listed.claim(), listed.name(), null, folder.resolve(listed.claim().request() + ".zip"))
                    : new Item(listed.claim(), listed.name(),
                            JobRequest.parse(request.getBytes(StandardCharsets.UTF_8)), null));
        }
        return new Batch(folder, items, true);
    }

    static void delete(Path folder) {
        try {
            FolderTree.delete(folder);
        } catch (IOException left) {
            // See above.
        }
    }
}
