package nocturne.bundle;

import java.time.Duration;
import java.util.List;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// Counts what a bundle costs while it is unpacked or copied, and stops it at its limits: what its headers promise is
/// never believed.
final class Allowance {
    /// Below this size any ratio is fine: a caption of one word repeated costs nobody anything.
    private static final long RATIO_MATTERS_FROM = 1 << 20;

    private final BundleLimits limits;
    private final String where;
    private final long began = System.nanoTime();
    private long total;
    private long ofThisFile;

    /// @param where what the bundle is called by its sender
    Allowance(BundleLimits limits, String where) {
        this.limits = limits;
        this.where = where;
    }

    void nextFile() {
        ofThisFile = 0;
    }

    /// Counts bytes before they are written.
    ///
    /// @param packed what the file takes in the zip; 0 where it is not packed
    /// @throws UserMistake [Bundle#INVALID] if a limit is passed
    void spend(int bytes, long packed, String file) {
        total += bytes;
        ofThisFile += bytes;
        if (ofThisFile > limits.entryBytes() || total > limits.totalBytes()) {
            throw refusal(file, "unpacks to more than is allowed (%,d bytes a file, %,d altogether)"
                    .formatted(limits.entryBytes(), limits.totalBytes()));
        }
        if (packed > 0 && ofThisFile > RATIO_MATTERS_FROM && ofThisFile / packed > limits.ratio()) {
            throw refusal(file,
                    "unpacks to more than %d times its size, as no picture does".formatted(limits.ratio()));
        }
        requireTime();
    }

    void requireTime() {
        if (System.nanoTime() - began <= limits.time().toNanos()) return;
        throw refusal("", "takes longer than is allowed (%s)".formatted(words(limits.time())));
    }

    /// Bytes of the file that is being written.
    long ofThisFile() {
        return ofThisFile;
    }

    UserMistake refusal(String file, String what) {
        return refusal(List.of(new Problem(Bundle.INVALID, EntryName.shown(file), what)));
    }

    UserMistake refusal(List<Problem> problems) {
        return new UserMistake("%s cannot be used; nothing was unpacked.".formatted(where), problems);
    }

    private static String words(Duration time) {
        return time.toMinutes() > 1 ? time.toMinutes() + " minutes" : time.toMillis() / 1000.0 + " seconds";
    }
}
