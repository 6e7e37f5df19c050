package nocturne.bundle;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// Copies a dropped folder into one of ours, under the rules for a zip, before anybody looks at what is in it.
///
/// Every folder is opened from the open folder above it, and never through a link: a path that is exchanged while we
/// walk leads nowhere.
final class FolderCopy {
    private final Path source;
    private final BundleLimits limits;
    private final Allowance allowance;
    private final Landing landing;
    private final Names names = new Names();
    private final List<Problem> problems = new ArrayList<>();
    private int entries;

    private FolderCopy(Path source, BundleLimits limits, Allowance allowance, Landing landing) {
        this.source = source;
        this.limits = limits;
        this.allowance = allowance;
        this.landing = landing;
    }

    /// @return the copy, named by its content
    /// @throws UserMistake [Bundle#INVALID] with everything that cannot be taken; nothing is copied then
    static Path copy(Path source, String name, Path workFolder, BundleLimits limits) {
        Allowance allowance = new Allowance(limits, name);
        try (Landing landing = Landing.in(workFolder, "bundle-new")) {
            FolderCopy copy = new FolderCopy(source, limits, allowance, landing);
            copy.copyAll();
            String hash = Bundle.list(landing.part()).contentHash();
            Path copied = workFolder.resolve("bundle-" + hash.substring(0, Bundle.HASH_DIGITS));
            landing.complete(String.valueOf(copied.getFileName()));
            return copied;
        } catch (Landing.DiskTrouble e) {
            throw e.explained(workFolder);
        } catch (IOException e) {
            throw new SickMachine("FILE_UNREADABLE", "reading %s failed: %s".formatted(source, e.getMessage()), e);
        }
    }

    private void copyAll() throws IOException {
        try (DirectoryStream<Path> above = Files.newDirectoryStream(source.toAbsolutePath().getParent())) {
            if (!(above instanceof SecureDirectoryStream<Path> parent)) {
                throw new UserMistake(Bundle.INVALID, "", "folders cannot be taken on this system; drop a zip");
            }
            try (SecureDirectoryStream<Path> folder =
                    parent.newDirectoryStream(source.getFileName(), LinkOption.NOFOLLOW_LINKS)) {
                copy(folder, "");
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        for (String raw : names.filesThatAreFolders()) problem(raw, "is a file and a folder at once");
        problems.sort(Comparator.comparing(Problem::where));
        if (!problems.isEmpty()) throw allowance.refusal(problems);
    }

    private void copy(SecureDirectoryStream<Path> folder, String prefix) throws IOException {
        for (Path entry : folder) {
            String raw = prefix + entry.getFileName();
            entries++;
            if (entries > limits.entries()) {
                throw allowance.refusal("", "holds more than %,d entries".formatted(limits.entries()));
            }
            Optional<String> objection = EntryName.objection(raw);
            if (objection.isEmpty() && EntryName.of(raw).isJunk()) continue;
            if (objection.isEmpty()) copy(folder, entry.getFileName(), raw);
            else problem(raw, objection.get());
        }
    }

    private void copy(SecureDirectoryStream<Path> folder, Path entry, String raw) throws IOException {
        try {
            BasicFileAttributes attributes = attributes(folder, entry);
            if (attributes.isDirectory()) {
                names.addFolder(EntryName.of(raw));
                try (SecureDirectoryStream<Path> below = folder.newDirectoryStream(entry, LinkOption.NOFOLLOW_LINKS)) {
                    copy(below, raw + "/");
                }
                return;
            }
            String objection = PlainFile.objection(source.resolve(raw), attributes);
            if (objection == null) objection = names.addFile(EntryName.of(raw), raw).orElse(null);
            if (objection == null) objection = copyFile(folder, entry, raw, attributes.fileKey());
            if (objection != null) problem(raw, objection);
        } catch (Landing.DiskTrouble e) {
            throw e;
        } catch (NoSuchFileException e) {
            problem(raw, "vanished while it was read");
        } catch (IOException e) {
            problem(raw, "cannot be read: " + EntryName.shown(String.valueOf(e.getMessage())));
        }
    }

    /// @return why the file cannot be taken; null if it was
    private @Nullable String copyFile(SecureDirectoryStream<Path> folder, Path entry, String raw,
            @Nullable Object fileKey) throws IOException {
        byte[] block = new byte[1 << 16];
        allowance.nextFile();
        try (SeekableByteChannel file =
                        folder.newByteChannel(entry, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
                InputStream in = Channels.newInputStream(file)) {
            if (!Objects.equals(fileKey, attributes(folder, entry).fileKey())) return "changed while it was opened";
            // Once something is wrong nothing more is copied; the rest is only looked at, to tell all at once.
            if (!problems.isEmpty()) return null;
            try (OutputStream out = landing.create(EntryName.of(raw))) {
                for (int count = in.readNBytes(block, 0, block.length); count > 0;
                        count = in.readNBytes(block, 0, block.length)) {
                    Optional<String> archive =
                            allowance.ofThisFile() == 0 ? Archive.kindOf(block, count) : Optional.empty();
                    if (archive.isPresent()) {
                        return "is itself an archive (%s); put in what it holds".formatted(archive.get());
                    }
                    allowance.spend(count, 0, raw);
                    out.write(block, 0, count);
                }
            }
            return null;
        }
    }

    private static BasicFileAttributes attributes(SecureDirectoryStream<Path> folder, Path entry) throws IOException {
        return folder.getFileAttributeView(entry, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                .readAttributes();
    }

    private void problem(String raw, String what) {
        problems.add(new Problem(Bundle.INVALID, EntryName.shown(raw), what));
    }
}
