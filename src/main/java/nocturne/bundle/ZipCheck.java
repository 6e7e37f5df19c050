package nocturne.bundle;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import nocturne.problem.Problem;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/// Looks at every entry of a zip before any is unpacked, and says everything that is wrong with them.
///
/// Besides names and kinds it compares what the directory at the end of the file says with what stands before each
/// entry's data: two programs that each read only one of them would see two different zips.
final class ZipCheck {
    private static final int FILE_TYPE_MASK = 0170000;
    private static final int REGULAR = 0100000;
    private static final int DIRECTORY = 0040000;
    private static final int SYMLINK = 0120000;

    /// Below this sum any ratio is fine.
    private static final long SUM_MATTERS_FROM = 32 << 20;

    private final BundleLimits limits;
    private final List<Problem> problems;

    ZipCheck(BundleLimits limits, List<Problem> problems) {
        this.limits = limits;
        this.problems = problems;
    }

    /// The files worth unpacking, by their checked names, in the order of the zip's directory.
    Map<EntryName, ZipArchiveEntry> files(ZipFile zip, FileChannel channel) throws IOException {
        List<ZipArchiveEntry> entries = Collections.list(zip.getEntries());
        if (entries.size() > limits.entries()) {
            problem("", "holds %,d entries; at most %,d are allowed".formatted(entries.size(), limits.entries()));
            return Map.of();
        }
        Map<EntryName, ZipArchiveEntry> files = new LinkedHashMap<>();
        Names names = new Names();
        long total = 0;
        for (ZipArchiveEntry entry : entries) {
            String raw = entry.getName();
            Optional<String> objection = EntryName.objection(raw);
            if (objection.isEmpty() && EntryName.of(raw).isJunk()) continue;
            if (objection.isEmpty()) objection = strangeness(entry);
            if (objection.isPresent()) {
                problem(raw, objection.get());
                continue;
            }
            EntryName name = EntryName.of(raw);
            if (entry.isDirectory() || type(entry) == DIRECTORY) {
                names.addFolder(name);
                continue;
            }
            Optional<String> clash = names.addFile(name, raw);
            if (clash.isPresent()) {
                problem(raw, clash.get());
                continue;
            }
            if (entry.getSize() > limits.entryBytes()) {
                problem(raw, "unpacks to %,d bytes; at most %,d are allowed"
                        .formatted(entry.getSize(), limits.entryBytes()));
            }
            total += Math.max(0, Math.min(entry.getSize(), limits.entryBytes()));
            files.put(name, entry);
        }
        for (String raw : names.filesThatAreFolders()) problem(raw, "is a file and a folder at once");
        if (total > limits.totalBytes()) {
            problem("", "unpacks to %,d bytes; at most %,d are allowed".formatted(total, limits.totalBytes()));
        }
        if (total > SUM_MATTERS_FROM && total / channel.size() > limits.ratio()) {
            problem("", "unpacks to more than %d times its size, as no pictures do".formatted(limits.ratio()));
        }
        if (problems.isEmpty()) places(entries, channel);
        return files;
    }

    /// Why an entry is nothing to unpack; empty for a plain file or folder.
    private static Optional<String> strangeness(ZipArchiveEntry entry) {
        int type = type(entry);
        if (entry.isUnixSymlink() || type == SYMLINK) return Optional.of("is a symbolic link; put the file itself in");
        if (type != 0 && type != REGULAR && type != DIRECTORY) return Optional.of("is neither a file nor a folder");
        if (entry.getGeneralPurposeBit().usesEncryption()) {
            return Optional.of("is encrypted; zip it without a password");
        }
        boolean known = entry.getMethod() == ZipEntry.DEFLATED || entry.getMethod() == ZipEntry.STORED;
        return known ? Optional.empty() : Optional.of("uses a compression that is not supported; use Deflate");
    }

    /// The kind of file, whatever system the zip says it was made on: others look at these bits too.
    private static int type(ZipArchiveEntry entry) {
        return (int) (entry.getExternalAttributes() >>> 16) & FILE_TYPE_MASK;
    }

    private void places(List<ZipArchiveEntry> entries, FileChannel channel) throws IOException {
        List<ZipArchiveEntry> inOrder = new ArrayList<>(entries);
        inOrder.sort(Comparator.comparingLong(ZipArchiveEntry::getLocalHeaderOffset));
        if (!inOrder.isEmpty() && inOrder.getFirst().getLocalHeaderOffset() > 0) {
            problem("", "has something in front of its first file, as if it were two things at once; zip it again");
        }
        long end = 0;
        for (ZipArchiveEntry entry : inOrder) {
            long start = entry.getLocalHeaderOffset();
            if (start < end) {
                problem(entry.getName(), "shares its bytes with another entry");
                return;
            }
            Optional<LocalHeader> header = LocalHeader.read(channel, start);
            if (header.isEmpty() || !Arrays.equals(header.get().name(), entry.getRawName())) {
                problem(entry.getName(), "has another name where its data begins");
                return;
            }
            if (!header.get().agrees(entry)) {
                problem(entry.getName(), "has another size or kind where its data begins");
                return;
            }
            end = header.get().dataStart() + Math.max(0, entry.getCompressedSize());
        }
        long directory = ZipEnd.of(channel).map(ZipEnd::directory).orElse(0L);
        if (end > directory) problem("", "says that files lie where its directory is");
    }

    private void problem(String entry, String what) {
        problems.add(new Problem(Bundle.INVALID, EntryName.shown(entry), what));
    }
}
