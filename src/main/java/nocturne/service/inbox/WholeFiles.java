package nocturne.service.inbox;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import nocturne.bundle.Bundle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells which dropped files are whole, so that half an upload is never started.
///
/// - A zip: it has held still for `settle`, and its end is there; or its sender says so with `x.zip.done`. One whose
///   end does not come is taken after `upload-timeout`, to be refused; what begins as no zip does is not waited for.
/// - A folder: `<folder>.done` lies beside it. There is no other way to know.
/// - A JSON file: its braces are closed; what is missing something never is, so there is nothing to wait for.
///
/// Used by the thread of one route.
final class WholeFiles {
    private static final Logger LOG = LoggerFactory.getLogger(WholeFiles.class);
    private static final String DONE = ".done";
    /// More than any request or command needs.
    static final int LARGEST_JSON = 256 << 10;
    private static final int MOST_REMEMBERED = 10_000;
    private static final JsonFactory JSON = new JsonFactory();

    private final Path inbox;
    private final Duration settle;
    private final Duration uploadTimeout;
    private final boolean onlyDone;
    private final LongSupplier nanos;
    private final Arrivals arrivals = new Arrivals();
    /// What has been said once about a name.
    private final Set<String> told = new HashSet<>();

    WholeFiles(Path inbox, Duration settle, Duration uploadTimeout, boolean onlyDone, LongSupplier nanos) {
        this.inbox = inbox;
        this.settle = settle;
        this.uploadTimeout = uploadTimeout;
        this.onlyDone = onlyDone;
        this.nanos = nanos;
    }

    /// Whether the file of this name can be taken now.
    boolean isWhole(String name) {
        String plain = name.toLowerCase(Locale.ROOT);
        try {
            if (isMarker(name)) {
                // What could not be used is kept in a folder of ours, which nobody can send.
                return !plain.endsWith(".zip" + DONE) && !withoutDone(plain).equals(Claims.REJECTED)
                        && isFolder(withoutDone(name));
            }
            Optional<DroppedFile> file = DroppedFile.at(inbox.resolve(name));
            if (file.isEmpty() || !isPlain(name, file.get())) return false;
            return plain.endsWith(".json") ? isWholeJson(name, file.get()) : isWholeZip(name, file.get());
        } catch (IOException e) {
            tell(name, "cannot be read: " + e.getMessage());
            return false;
        }
    }

    /// Whether a name is that of a file which says that the one beside it is whole.
    static boolean isMarker(String name) {
        return name.toLowerCase(Locale.ROOT).endsWith(DONE);
    }

    static String withoutDone(String name) {
        return name.substring(0, name.length() - DONE.length());
    }

    /// Beside which a `.done` lies.
    static String withDone(String name) {
        return name + DONE;
    }

    private boolean isFolder(String name) throws IOException {
        return DroppedFile.at(inbox.resolve(name)).filter(file -> file.kind() == DroppedFile.Kind.FOLDER).isPresent();
    }

    private boolean isPlain(String name, DroppedFile file) {
        switch (file.kind()) {
            case PLAIN -> {
                return true;
            }
            case FOLDER -> {
                return false;
            }
            case LINK -> tell(name, "is a link; drop the file itself");
            case SECOND_NAME -> tell(name, "has a second name elsewhere (a hard link); drop a copy");
            case SPECIAL -> tell(name, "is no file");
        }
        return false;
    }

    private boolean isWholeZip(String name, DroppedFile file) throws IOException {
        long still = arrivals.stillFor(name, file.look(), nanos.getAsLong());
        boolean done = DroppedFile.at(inbox.resolve(withDone(name))).isPresent();
        if (done) return true;
        if (onlyDone || still < settle.toNanos()) return false;
        if (!arrivals.isWhole(name) && !isUnfinished(file)) arrivals.foundWhole(name);
        return arrivals.isWhole(name) || still >= uploadTimeout.toNanos();
    }

    private boolean isWholeJson(String name, DroppedFile file) throws IOException {
        long still = arrivals.stillFor(name, file.look(), nanos.getAsLong());
        boolean isNews = still == 0;
        if (isNews && file.look().size() <= LARGEST_JSON && isClosedJson(file)) arrivals.foundWhole(name);
        // What holds still and is not closed, or too large to be looked at, is taken to be refused.
        return arrivals.isWhole(name) || still >= settle.toNanos();
    }

    /// Whether this is a zip without its beginning or its end, as far as can be seen.
    static boolean isUnfinished(DroppedFile file) throws IOException {
        try (FileChannel zip = DroppedFile.open(file)) {
            return zip == null || !Bundle.isComplete(zip);
        }
    }

    private static boolean isClosedJson(DroppedFile file) throws IOException {
        try (FileChannel channel = DroppedFile.open(file)) {
            if (channel == null) return false;
            try (InputStream in = Channels.newInputStream(channel); JsonParser json = JSON.createParser(in)) {
                if (json.nextToken() == null) return false;
                json.skipChildren();
                return json.currentToken() != null && json.currentToken().isStructEnd();
            } catch (JsonProcessingException open) {
                return false;
            }
        }
    }

    private void tell(String name, String what) {
        if (told.size() >= MOST_REMEMBERED) told.clear();
        if (told.add(name)) LOG.warn("inbox: {} {}", name, what);
    }
}
