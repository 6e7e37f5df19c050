package nocturne.bundle;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipException;
import nocturne.io.AtomicFiles;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/// Unpacks a zip into a folder that appears only when it is complete.
final class Unzip {
    /// Below this size any ratio is fine: a caption of one word repeated costs nobody anything.
    private static final long RATIO_MATTERS_FROM = 1 << 20;

    /// The directory of 10 000 entries takes about one MiB. Reading it costs memory before entries can be counted.
    private static final long MOST_DIRECTORY_BYTES = 4 << 20;

    private static final int END_RECORD = 0x06054b50;
    private static final int END_RECORD_BYTES = 22;
    private static final int MOST_COMMENT_BYTES = 0xffff;

    private static final String PART = ".part-";

    private final BundleLimits limits;
    private final String where;
    private long total;

    private Unzip(BundleLimits limits, String where) {
        this.limits = limits;
        this.where = where;
    }

    /// @param folder where the unpacked folder appears; made if it is not there
    /// @param name   of the unpacked folder, which must not exist; what a killed attempt left beside it is removed
    /// @throws UserMistake [Bundle#INVALID] with everything wrong with the zip
    static void extract(Path zip, Path folder, String name, BundleLimits limits) {
        new Unzip(limits, String.valueOf(zip.getFileName())).extract(zip, folder, name);
    }

    private void extract(Path source, Path folder, String name) {
        Path target = folder.resolve(name);
        // Another process may be unpacking the same zip: each works in a folder of its own, the first one done wins.
        Path part = folder.resolve(name + PART + ProcessHandle.current().pid());
        try {
            prepare(folder, name + PART, part);
            try (SeekableByteChannel channel = Files.newByteChannel(source)) {
                requireSmallDirectory(channel);
                unpack(source, channel, part);
            }
            moveUnlessThere(part, target);
            AtomicFiles.forceFolder(folder);
        } catch (DiskTrouble e) {
            throw AtomicFiles.explained(e.trouble, target);
        } catch (IOException e) {
            throw new UserMistake(Bundle.INVALID, where,
                    "is not a zip that can be read (%s); zip it again".formatted(e.getMessage()));
        } finally {
            sweep(part);
        }
    }

    private static void moveUnlessThere(Path part, Path target) throws IOException {
        try {
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (!Files.isDirectory(target)) throw e;
        }
    }

    /// Removes what killed processes left; those that are alive keep theirs.
    private static void sweepAbandoned(Path folder, String prefix) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path entry : entries.toList()) {
                String name = String.valueOf(entry.getFileName());
                if (!name.startsWith(prefix)) continue;
                String pid = name.substring(prefix.length());
                boolean alive = pid.matches("\\d{1,18}") && ProcessHandle.of(Long.parseLong(pid)).isPresent();
                if (!alive) deleteTree(entry);
            }
        }
    }

    private static void prepare(Path folder, String prefix, Path part) throws DiskTrouble {
        try {
            Files.createDirectories(folder);
            sweepAbandoned(folder, prefix);
            deleteTree(part);
            Files.createDirectories(part);
        } catch (IOException e) {
            throw new DiskTrouble(e);
        }
    }

    private void unpack(Path source, SeekableByteChannel channel, Path part) throws IOException {
        List<Problem> problems = new ArrayList<>();
        // Closing the ZipFile closes its own channel; the other one stays ours, for looking at local headers.
        try (SeekableByteChannel own = Files.newByteChannel(source);
                ZipFile zip = directoryOf(own)) {
            Map<EntryName, ZipArchiveEntry> files = new ZipCheck(limits, problems).files(zip, channel);
            if (problems.isEmpty() && files.isEmpty()) problems.add(new Problem(Bundle.INVALID, "", "holds no files"));
            if (!problems.isEmpty()) throw refusal(problems);
            for (Map.Entry<EntryName, ZipArchiveEntry> file : files.entrySet()) {
                Path to = part.resolve(file.getKey().path());
                // The names were checked; this line is the wall behind the fence.
                if (!to.normalize().startsWith(part)) throw new IllegalStateException("left the folder: " + to);
                write(zip, file.getValue(), to);
            }
        }
    }

    private static ZipFile directoryOf(SeekableByteChannel channel) throws IOException {
        try {
            return ZipFile.builder().setSeekableByteChannel(channel).get();
        } catch (RuntimeException e) {
            // Hostile extra fields reach the library's parsers, not all of which answer with an IOException.
            throw new ZipException("its directory is damaged");
        }
    }

    private void write(ZipFile zip, ZipArchiveEntry entry, Path to) throws IOException {
        CRC32 crc = new CRC32();
        long size = 0;
        byte[] block = new byte[1 << 16];
        long packed = Math.max(1, entry.getCompressedSize());
        try (InputStream in = zip.getInputStream(entry);
                OutputStream out = create(to)) {
            for (int count = in.read(block); count >= 0; count = in.read(block)) {
                size += count;
                total += count;
                if (size > limits.entryBytes() || total > limits.totalBytes()) {
                    throw refusal(entry, "unpacks to more than is allowed (%,d bytes a file, %,d altogether)"
                            .formatted(limits.entryBytes(), limits.totalBytes()));
                }
                if (size > RATIO_MATTERS_FROM && size / packed > limits.ratio()) {
                    throw refusal(entry, "unpacks to more than %d times its size, as no picture does"
                            .formatted(limits.ratio()));
                }
                crc.update(block, 0, count);
                out.write(block, 0, count);
            }
        } catch (ZipException | EOFException e) {
            throw refusal(entry, "is damaged; zip the folder again");
        }
        if (entry.getCrc() >= 0 && crc.getValue() != entry.getCrc() || size != entry.getSize()) {
            throw refusal(entry, "is damaged (its checksum is wrong); zip the folder again");
        }
    }

    private static OutputStream create(Path to) throws DiskTrouble {
        try {
            Files.createDirectories(to.getParent());
            return new ToDisk(FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
        } catch (IOException e) {
            throw new DiskTrouble(e);
        }
    }

    /// Refuses a directory whose sheer size is an attack: the library reads all of it before it tells the count.
    private void requireSmallDirectory(SeekableByteChannel channel) throws IOException {
        long size = channel.size();
        int tailBytes = (int) Math.min(size, END_RECORD_BYTES + MOST_COMMENT_BYTES);
        ByteBuffer tail = ByteBuffer.allocate(tailBytes).order(ByteOrder.LITTLE_ENDIAN);
        channel.position(size - tailBytes);
        while (tail.hasRemaining() && channel.read(tail) >= 0) {
            // Reads may be short.
        }
        for (int at = tailBytes - END_RECORD_BYTES; at >= 0; at--) {
            if (tail.getInt(at) != END_RECORD) continue;
            long directory = Integer.toUnsignedLong(tail.getInt(at + 16));
            long end = size - tailBytes + at;
            // 0xffffffff sends the reader to a 64-bit record; bundles that large are beyond the limits anyway.
            if (directory == 0xffffffffL || Short.toUnsignedInt(tail.getShort(at + 10)) == 0xffff) {
                throw refusal(List.of(new Problem(Bundle.INVALID, "", "is too large (a 64-bit zip)")));
            }
            if (end - directory > MOST_DIRECTORY_BYTES) {
                throw refusal(List.of(new Problem(Bundle.INVALID, "", "holds too many entries; at most %,d are allowed"
                        .formatted(limits.entries()))));
            }
            return;
        }
        throw refusal(List.of(new Problem(Bundle.INVALID, "",
                "is not a whole zip: its end is missing. Copy it again and wait until the copy is complete.")));
    }

    private UserMistake refusal(ZipArchiveEntry entry, String what) {
        return refusal(List.of(new Problem(Bundle.INVALID, EntryName.shown(entry.getName()), what)));
    }

    private UserMistake refusal(List<Problem> problems) {
        return new UserMistake("%s cannot be used; nothing was unpacked.".formatted(where), problems);
    }

    static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root, LinkOption.NOFOLLOW_LINKS)) return;
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, IOException error) throws IOException {
                Files.delete(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static void sweep(Path part) {
        try {
            deleteTree(part);
        } catch (IOException e) {
            // The next attempt begins by removing it; the reason for this one's end matters more.
            return;
        }
    }

    /// A failure of our disk, told apart from a failure of the user's zip.
    private static final class DiskTrouble extends IOException {
        private static final long serialVersionUID = 1L;

        private final transient IOException trouble;

        DiskTrouble(IOException trouble) {
            super(trouble.getMessage(), trouble);
            this.trouble = trouble;
        }
    }

    /// Marks write errors as ours, and forces the file to the disk before it is closed: the folder's final name must
    /// not survive a power cut that its files did not.
    private static final class ToDisk extends OutputStream {
        private final FileChannel file;

        ToDisk(FileChannel file) {
            this.file = file;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
                ByteBuffer rest = ByteBuffer.wrap(bytes, offset, length);
                while (rest.hasRemaining()) file.write(rest);
            } catch (IOException e) {
                throw new DiskTrouble(e);
            }
        }

        @Override
        public void close() throws IOException {
            try (file) {
                file.force(true);
            } catch (IOException e) {
                throw new DiskTrouble(e);
            }
        }
    }
}
