package nocturne.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import nocturne.io.AtomicFiles;
import nocturne.io.IncomingFile;
import nocturne.io.TransferWatch;
import nocturne.problem.SickMachine;

/// Fetches one file: from where it broke off, until its hash is right, then by its name.
///
/// @param hub      to ask
/// @param address  of the file there
/// @param file     what it must be
/// @param folder   of the model, here
/// @param progress is told of every block
/// @param ends     whether to leave off, asked at every block
record FileTransfer(Hub hub, URI address, HubFile file, Path folder, PullProgress progress, BooleanSupplier ends) {
    private static final Pattern RANGE = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");
    /// A part that was left by a machine that lost power may be wrong; one that has just come whole may not.
    private static final int MOST_WRONG = 2;

    /// @throws SickMachine `HASH_MISMATCH` if it comes wrong twice; `HUB_UNREACHABLE`, `DISK_FULL`, ...
    /// @throws CancellationException if it was to leave off; what has arrived is kept
    void run() {
        Path target = folder.resolve(file.path());
        Path part = folder.resolve(file.partName());
        Path above = target.toAbsolutePath().resolveSibling("");
        try {
            AtomicFiles.createFolders(above);
            for (int wrong = 1;; wrong++) {
                String hash = fetch(part);
                if (hash.equals(file.hash())) break;
                Files.delete(part);
                progress.moved(-file.bytes());
                if (wrong == MOST_WRONG) throw wrong(hash);
                progress.notice(file.path() + " did not arrive as it should; it is fetched again");
            }
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            AtomicFiles.forceFolder(above);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, target);
        }
        progress.arrived(file.path(), file.bytes());
    }

    private SickMachine wrong(String hash) {
        return new SickMachine("HASH_MISMATCH", "%s came twice from %s with the hash %s, not %s as announced. Somebody"
                .formatted(file.path(), hub.endpoint(), hash, file.hash())
                + " changes it on the way, or a disk or memory is broken.", null);
    }

    /// @return the hash of what is there now, in its full length
    private String fetch(Path part) throws IOException {
        // Never more than its length: longer ones are not ours.
        if (Files.exists(part) && Files.size(part) > file.bytes()) Files.delete(part);
        IncomingFile incoming = IncomingFile.resume(part, file.digest());
        try {
            int failures = 0;
            while (incoming.bytes() < file.bytes()) {
                long before = incoming.bytes();
                try {
                    HttpResponse<InputStream> answer = hub.get(address, before, file.path());
                    if (before > 0 && answer.statusCode() == 200) {
                        // It knows no ranges: from the beginning.
                        incoming.close();
                        Files.delete(part);
                        progress.moved(-before);
                        incoming = IncomingFile.resume(part, file.digest());
                    }
                    receive(answer, incoming);
                } catch (IOException e) {
                    failures = incoming.bytes() > before ? 1 : failures + 1;
                    hub.patience().failed(failures, file.path(), e);
                }
            }
            incoming.force();
            return incoming.hash();
        } finally {
            incoming.close();
        }
    }

    private void receive(HttpResponse<InputStream> answer, IncomingFile incoming) throws IOException {
        try (InputStream body = answer.body();
                TransferWatch watch = new TransferWatch(hub.patience().bounds(), body)) {
            requireRest(answer, incoming.bytes());
            incoming.receive(body, count -> {
                if (ends.getAsBoolean()) throw new CancellationException("to leave off");
                if (incoming.bytes() + count > file.bytes()) throw new TooLong();
                watch.moved(count);
                progress.moved(count);
            });
        } catch (TooLong e) {
            throw new HubAnswerInvalid("sends more of the file than there is");
        }
        if (incoming.bytes() < file.bytes()) throw new IOException("the connection broke");
    }

    private void requireRest(HttpResponse<?> answer, long from) throws HubAnswerInvalid {
        String coding = answer.headers().firstValue("Content-Encoding").orElse("identity");
        if (!coding.equalsIgnoreCase("identity")) throw new HubAnswerInvalid("insists on packing the file");
        if (answer.statusCode() != 206) return;
        Matcher range = RANGE.matcher(answer.headers().firstValue("Content-Range").orElse(""));
        boolean fits = range.matches() && Long.parseLong(range.group(1)) == from
                && (range.group(3).equals("*") || Long.parseLong(range.group(3)) == file.bytes());
        if (!fits) throw new HubAnswerInvalid("sends another part of the file than was asked for");
    }

    /// Ends a transfer from within the callback, which can throw nothing that is checked.
    private static final class TooLong extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }
}
