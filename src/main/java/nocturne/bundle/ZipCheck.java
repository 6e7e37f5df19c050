package nocturne.bundle;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.zip.ZipEntry;
import nocturne.problem.Problem;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/// Looks at every entry of a zip before any is unpacked, and says everything that is wrong with them.
///
/// Besides names and kinds it compares what the directory at the end of the file says with what stands before each
/// entry's data: two programs that each read only one of them would see two different zips.
final class ZipCheck {
    private static final int LOCAL_HEADER = 0x04034b50;
    private static final int LOCAL_HEADER_BYTES = 30;
    private static final int FILE_TYPE_MASK = 0170000;
    private static final int REGULAR = 0100000;
    private static final int DIRECTORY = 0040000;
    private static final int SYMLINK = 0120000;

    private final BundleLimits limits;
    private final List<Problem> problems;

    ZipCheck(BundleLimits limits, List<Problem> problems) {
        this.limits = limits;
        this.problems = problems;
    }

    /// The files worth unpacking, by their checked names, in the order of the zip's directory.
    Map<EntryName, ZipArchiveEntry> files(ZipFile zip, SeekableByteChannel channel) throws IOException {
        List<ZipArchiveEntry> entries = Collections.list(zip.getEntries());
        if (entries.size() > limits.entries()) {
            problem("", "holds %,d entries; at most %,d are allowed".formatted(entries.size(), limits.entries()));
            return Map.of();
        }
        Map<EntryName, ZipArchiveEntry> files = new LinkedHashMap<>();
        Map<String, String> namesByFolded = new HashMap<>();
        Set<String> folders = new HashSet<>();
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
            for (int slash = name.folded().indexOf('/'); slash > 0; slash = name.folded().indexOf('/', slash + 1)) {
                folders.add(name.folded().substring(0, slash));
            }
            if (entry.isDirectory() || (entry.getUnixMode() & FILE_TYPE_MASK) == DIRECTORY) {
                folders.add(name.folded());
                continue;
            }
            String first = namesByFolded.putIfAbsent(name.folded(), raw);
            if (first != null) {
                problem(raw, first.equals(raw) ? "is there twice"
                        : "has the same name as %s but for upper and lower case".formatted(EntryName.shown(first)));
                continue;
            }
            if (entry.getSize() > limits.entryBytes()) {
                problem(raw, "unpacks to %,d bytes; at most %,d are allowed"
                        .formatted(entry.getSize(), limits.entryBytes()));
            }
            total += Math.max(0, Math.min(entry.getSize(), limits.entryBytes()));
            files.put(name, entry);
        }
        for (EntryName name : files.keySet()) {
            if (folders.contains(name.folded())) problem(name.path(), "is a file and a folder at once");
        }
        if (total > limits.totalBytes()) {
            problem("", "unpacks to %,d bytes; at most %,d are allowed".formatted(total, limits.totalBytes()));
        }
        if (problems.isEmpty()) places(entries, channel);
        return files;
    }

    /// Why an entry is nothing to unpack; empty for a plain file or folder.
    private static Optional<String> strangeness(ZipArchiveEntry entry) {
        int type = entry.getUnixMode() & FILE_TYPE_MASK;
        if (entry.isUnixSymlink() || type == SYMLINK) return Optional.of("is a symbolic link; put the file itself in");
        if (type != 0 && type != REGULAR && type != DIRECTORY) return Optional.of("is neither a file nor a folder");
        if (entry.getGeneralPurposeBit().usesEncryption()) {
            return Optional.of("is encrypted; zip it without a password");
        }
        boolean known = entry.getMethod() == ZipEntry.DEFLATED || entry.getMethod() == ZipEntry.STORED;
        return known ? Optional.empty() : Optional.of("uses a compression that is not supported; use Deflate");
    }

    private void places(List<ZipArchiveEntry> entries, SeekableByteChannel channel) throws IOException {
        List<ZipArchiveEntry> inOrder = new ArrayList<>(entries);
        inOrder.sort(Comparator.comparingLong(ZipArchiveEntry::getLocalHeaderOffset));
        long end = 0;
        for (ZipArchiveEntry entry : inOrder) {
            long start = entry.getLocalHeaderOffset();
            if (start < end) {
                problem(entry.getName(), "shares its bytes with another entry");
                return;
            }
            byte[] localName = localName(channel, start);
            if (!Arrays.equals(localName, entry.getRawName())) {
                problem(entry.getName(), "has another name where its data begins");
                return;
            }
            end = start + LOCAL_HEADER_BYTES + localName.length + Math.max(0, entry.getCompressedSize());
        }
    }

    private static byte[] localName(SeekableByteChannel channel, long start) throws IOException {
        if (start < 0) return new byte[0];
        ByteBuffer header = ByteBuffer.allocate(LOCAL_HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        readFully(channel.position(start), header);
        if (header.hasRemaining() || header.getInt(0) != LOCAL_HEADER) return new byte[0];
        ByteBuffer name = ByteBuffer.allocate(Short.toUnsignedInt(header.getShort(26)));
        readFully(channel, name);
        return name.hasRemaining() ? new byte[0] : name.array();
    }

    private static void readFully(SeekableByteChannel channel, ByteBuffer target) throws IOException {
        while (target.hasRemaining() && channel.read(target) >= 0) {
            // Reads may be short.
        }
    }

    private void problem(String entry, String what) {
        problems.add(new Problem(Bundle.INVALID, EntryName.shown(entry), what));
    }
}
