package nocturne.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;

/// An open file, or folder, of a [CrashFileSystem].
final class CrashChannel extends FileChannel {
    private final CrashFileSystem disk;
    private final Path path;
    private final FileChannel file;
    private final boolean folder;
    private final boolean append;
    private final int number;

    /// @param number the file's in the history, which stays the same when its name changes; any for a folder
    CrashChannel(CrashFileSystem disk, Path path, FileChannel file, boolean folder, boolean append, int number) {
        this.disk = disk;
        this.path = path;
        this.file = file;
        this.folder = folder;
        this.append = append;
        this.number = number;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        synchronized (disk.history()) {
            long at = append ? file.size() : file.position();
            int count = write(source, at);
            file.position(at + count);
            return count;
        }
    }

    @Override
    public int write(ByteBuffer source, long at) throws IOException {
        synchronized (disk.history()) {
            return disk.change(path, () -> put(source, source.remaining(), at), () -> {
                int count = source.remaining() / 2;
                put(source.duplicate(), count, at);
            });
        }
    }

    private int put(ByteBuffer source, int count, long at) throws IOException {
        byte[] bytes = new byte[count];
        source.get(bytes);
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        while (rest.hasRemaining()) {
            if (append) file.write(rest);
            else file.write(rest, at + rest.position());
        }
        disk.history().wrote(number, at, bytes);
        return count;
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        long count = 0;
        for (int i = offset; i < offset + length; i++) count += write(sources[i]);
        return count;
    }

    @Override
    public FileChannel truncate(long size) throws IOException {
        synchronized (disk.history()) {
            if (size >= file.size()) {
                file.truncate(size);
                return this;
            }
            disk.change(path, () -> {
                file.truncate(size);
                disk.history().cut(number, size);
                return size;
            });
            return this;
        }
    }

    @Override
    public void force(boolean metadata) throws IOException {
        synchronized (disk.history()) {
            disk.change(path, () -> {
                if (folder) disk.history().forcedFolder(disk.name(path));
                else disk.history().forced(number);
                return path;
            });
        }
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long position, long count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(count, 1 << 16));
        if (source.read(buffer) < 0) return 0;
        return write(buffer.flip(), position);
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        return file.read(target);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        return file.read(targets, offset, length);
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
        return file.read(target, position);
    }

    @Override
    public long position() throws IOException {
        return file.position();
    }

    @Override
    public FileChannel position(long position) throws IOException {
        file.position(position);
        return this;
    }

    @Override
    public long size() throws IOException {
        return file.size();
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
        return file.transferTo(position, count, target);
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) throws IOException {
        requireReading(mode);
        return file.map(mode, position, size);
    }

    @Override
    public MemorySegment map(MapMode mode, long offset, long size, Arena arena) throws IOException {
        requireReading(mode);
        return file.map(mode, offset, size, arena);
    }

    private static void requireReading(MapMode mode) {
        if (mode != MapMode.READ_ONLY) throw new UnsupportedOperationException("writing through memory");
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) throws IOException {
        return file.lock(position, size, shared);
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) throws IOException {
        return file.tryLock(position, size, shared);
    }

    @Override
    protected void implCloseChannel() throws IOException {
        file.close();
    }
}
