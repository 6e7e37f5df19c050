package nocturne.bundle;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.ZipException;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/// Unpacks a zip into a folder that appears only when it is complete.
final class Unzip {
    /// The directory of 10 000 entries takes about one MiB. Reading it costs memory before entries can be counted.
    private static final long MOST_DIRECTORY_BYTES = 4 << 20;

    private final BundleLimits limits;
    private final String where;
    private final Allowance allowance;

    private Unzip(BundleLimits limits, String where) {
        this.limits = limits;
        this.where = where;
        this.allowance = new Allowance(limits, where);
    }

    /// @param zip    open for reading; nothing else of the file is ever looked at, wherever its name leads meanwhile
    /// @param where  what it is called by its sender
    /// @param folder where the unpacked folder appears; made if it is not there
    /// @param name   of the unpacked folder; what a killed attempt left beside it is removed
    /// @throws UserMistake [Bundle#INVALID] with everything wrong with the zip, or [Bundle#INCOMPLETE]
    static void extract(FileChannel zip, String where, Path folder, String name, BundleLimits limits) {
        new Unzip(limits, where).extract(zip, folder, name);
    }

    private void extract(FileChannel source, Path folder, String name) {
        try (Landing landing = Landing.in(folder, name)) {
            requireBounded(source);
            unpack(source, landing);
            landing.complete(name);
        } catch (Landing.DiskTrouble e) {
            throw e.explained(folder.resolve(name));
        } catch (IOException e) {
            String reason = EntryName.shown(String.valueOf(e.getMessage()));
            throw new UserMistake(Bundle.INVALID, where,
                    "is not a zip that can be read (%s); zip it again".formatted(reason));
        }
    }

    private void unpack(FileChannel source, Landing landing) throws IOException {
        List<Problem> problems = new ArrayList<>();
        try (ZipFile zip = directoryOf(source)) {
            Map<EntryName, ZipArchiveEntry> files = new ZipCheck(limits, problems).files(zip, source);
            if (problems.isEmpty() && files.isEmpty()) problems.add(new Problem(Bundle.INVALID, "", "holds no files"));
            if (!problems.isEmpty()) throw allowance.refusal(problems);
            for (Map.Entry<EntryName, ZipArchiveEntry> file : files.entrySet()) {
                write(zip, file.getValue(), landing.create(file.getKey()));
            }
        }
    }

    private static ZipFile directoryOf(FileChannel channel) throws IOException {
        try {
            return ZipFile.builder().setSeekableByteChannel(channel).get();
        } catch (RuntimeException e) {
            // Hostile extra fields reach the library's parsers, not all of which answer with an IOException.
            throw new ZipException("its directory is damaged");
        }
    }

    private void write(ZipFile zip, ZipArchiveEntry entry, OutputStream to) throws IOException {
        CRC32 crc = new CRC32();
        byte[] block = new byte[1 << 16];
        long packed = Math.max(1, entry.getCompressedSize());
        allowance.nextFile();
        try (OutputStream out = to;
                InputStream in = zip.getInputStream(entry)) {
            for (int count = in.readNBytes(block, 0, block.length); count > 0;
                    count = in.readNBytes(block, 0, block.length)) {
                if (allowance.ofThisFile() == 0) requireNoArchive(entry, block, count);
                allowance.spend(count, packed, entry.getName());
                if (allowance.ofThisFile() > entry.getSize()) {
                    throw allowance.refusal(entry.getName(), "unpacks to more than it says; zip the folder again");
                }
                crc.update(block, 0, count);
                out.write(block, 0, count);
            }
        } catch (ZipException | EOFException e) {
            throw allowance.refusal(entry.getName(), "is damaged; zip the folder again");
        }
        if (entry.getCrc() >= 0 && crc.getValue() != entry.getCrc() || allowance.ofThisFile() != entry.getSize()) {
            throw allowance.refusal(entry.getName(), "is damaged (its checksum is wrong); zip the folder again");
        }
    }

    private void requireNoArchive(ZipArchiveEntry entry, byte[] start, int length) {
        Optional<String> kind = Archive.kindOf(start, length);
        if (kind.isEmpty()) return;
        throw allowance.refusal(entry.getName(),
                "is itself an archive (%s); put in what it holds".formatted(kind.get()));
    }

    /// Refuses a file whose end is missing, and one whose sheer size is an attack: the library reads the whole
    /// directory before it tells how many entries there are.
    private void requireBounded(FileChannel file) throws IOException {
        ZipEnd end = ZipEnd.of(file).orElseThrow(() -> new UserMistake(
                "%s cannot be used; nothing was unpacked.".formatted(where), List.of(new Problem(Bundle.INCOMPLETE, "",
                "is not a whole zip: its end is missing. Copy it again and wait until the copy is complete."))));
        if (end.entries() > limits.entries()) {
            throw allowance.refusal("",
                    "holds %,d entries; at most %,d are allowed".formatted(end.entries(), limits.entries()));
        }
        if (end.directoryBytes() > MOST_DIRECTORY_BYTES) {
            throw allowance.refusal("", "has a directory of %,d bytes; that is more than %,d entries need"
                    .formatted(end.directoryBytes(), limits.entries()));
        }
        end.requireWholeDirectory(file);
    }
}
