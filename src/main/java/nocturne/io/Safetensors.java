package nocturne.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.SequencedMap;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// One safetensors file, mapped read-only; owns the mapping until it is closed.
public final class Safetensors implements TensorSource {
    /// Code of every mistake in the file itself.
    public static final String INVALID = "SAFETENSORS_INVALID";

    private final String where;
    private final Arena arena;
    private final MemorySegment file;
    private final SequencedMap<String, String> metadata;
    private final SequencedMap<String, TensorEntry> tensors;

    private Safetensors(String where, Arena arena, MemorySegment file, SafetensorsHeader header) {
        this.where = where;
        this.arena = arena;
        this.file = file;
        this.metadata = Collections.unmodifiableSequencedMap(header.metadata());
        this.tensors = Collections.unmodifiableSequencedMap(header.tensors());
    }

    /// Maps a file and checks its header; tensor bytes are read when somebody asks for them.
    ///
    /// @throws UserMistake `FILE_NOT_FOUND`, `FILE_UNREADABLE`, or `SAFETENSORS_INVALID` naming file, tensor and
    ///     what is wrong with it
    public static Safetensors open(Path path) {
        String where = path.toString();
        if (Files.isDirectory(path)) throw new UserMistake("FILE_UNREADABLE", where, "is a folder, a file is needed");
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            Safetensors safetensors = new Safetensors(where, arena, file, SafetensorsHeader.read(file, where));
            opened = true;
            return safetensors;
        } catch (NoSuchFileException e) {
            throw new UserMistake("FILE_NOT_FOUND", where, "does not exist");
        } catch (AccessDeniedException e) {
            throw new UserMistake("FILE_UNREADABLE", where, "may not be read by this user");
        } catch (IOException e) {
            throw new SickMachine("FILE_UNREADABLE", "reading " + where + " failed: " + e.getMessage(), e);
        } finally {
            if (!opened) arena.close();
        }
    }

    @Override
    public String where() {
        return where;
    }

    @Override
    public SequencedMap<String, String> metadata() {
        return metadata;
    }

    @Override
    public SequencedMap<String, TensorEntry> tensors() {
        return tensors;
    }

    @Override
    public MemorySegment bytes(String name) {
        TensorEntry entry = entry(name);
        return file.asSlice(entry.offset(), entry.bytes());
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) arena.close();
    }
}
