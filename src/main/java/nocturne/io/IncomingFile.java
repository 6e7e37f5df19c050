package nocturne.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.function.IntConsumer;

/// A file that grows by what arrives from elsewhere, counted and hashed on the way.
///
/// Failures of our disk are thrown as what they are, a [nocturne.problem.SickMachine] or
/// [nocturne.problem.UserMistake]; an `IOException` is always the sender's, so a caller can tell whom to ask again.
public final class IncomingFile implements AutoCloseable {
    private static final int BLOCK_BYTES = 1 << 16;

    private final Path file;
    private final FileChannel channel;
    private final MessageDigest digest;
    private long bytes;

    private IncomingFile(Path file, FileChannel channel, MessageDigest digest) {
        this.file = file;
        this.channel = channel;
        this.digest = digest;
    }

    /// Begins a file that must not be there yet.
    ///
    /// @param digest fresh, or fed with what goes before the content
    public static IncomingFile create(Path file, MessageDigest digest) {
        try {
            return new IncomingFile(file,
                    FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), digest);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, file);
        }
    }

    /// Goes on with a file that may be there in part; what is there is read once, for the hash.
    ///
    /// @param digest fresh, or fed with what goes before the content
    public static IncomingFile resume(Path file, MessageDigest digest) {
        try {
            FileChannel channel = FileChannel.open(file,
                    StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            IncomingFile incoming = new IncomingFile(file, channel, digest);
            try {
                incoming.digestWhatIsThere();
                return incoming;
            } catch (IOException | RuntimeException | Error e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw AtomicFiles.explained(e, file);
        }
    }

    private void digestWhatIsThere() throws IOException {
        ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
        for (int count = channel.read(block); count >= 0; count = channel.read(block.clear())) {
            digest.update(block.flip());
            bytes += count;
        }
    }

    /// How many bytes there are.
    public long bytes() {
        return bytes;
    }

    /// Appends everything that comes.
    ///
    /// @param body   read to its end, not closed
    /// @param before told the size of every block before it is written; what it throws ends the transfer
    /// @throws IOException if `body` breaks off; what came before that is kept
    public void receive(InputStream body, IntConsumer before) throws IOException {
        byte[] block = new byte[BLOCK_BYTES];
        for (int count = body.read(block); count >= 0; count = body.read(block)) {
            before.accept(count);
            digest.update(block, 0, count);
            append(ByteBuffer.wrap(block, 0, count));
            bytes += count;
        }
    }

    private void append(ByteBuffer block) {
        try {
            while (block.hasRemaining()) channel.write(block);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, file);
        }
    }

    /// Forces what arrived to the disk.
    public void force() {
        try {
            channel.force(true);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, file);
        }
    }

    /// The hash of all there is, in lower-case hexadecimal digits; nothing may be added afterwards.
    public String hash() {
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw AtomicFiles.explained(e, file);
        }
    }
}
