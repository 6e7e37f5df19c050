package nocturne.service.source;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import nocturne.bundle.PlainFile;
import nocturne.problem.SickMachine;
import nocturne.service.ServiceConfig;

/// Bundles on disks of this machine, below the folders the operator opened.
///
/// A zip is copied while it is hashed, so that what was checked is what is unpacked. A folder stays where it is:
/// whoever takes it copies it under its own rules.
@Singleton
final class FileSource {
    private final SourceConfig config;
    private final Path home;

    /// @param service where relative roots are below its home
    @Inject
    FileSource(SourceConfig config, ServiceConfig service) {
        this(config, service.home());
    }

    FileSource(SourceConfig config, Path home) {
        this.config = config;
        this.home = home;
    }

    /// @param sha256 empty for a folder
    Path fetch(URI uri, String sha256, Path into) {
        Path asked = path(uri);
        try {
            Path real = below(uri, asked);
            if (Files.isDirectory(real)) {
                if (sha256.isEmpty()) return real;
                throw Refusals.refused(uri, "is a folder, which has no sha256; leave it empty");
            }
            if (sha256.isEmpty()) throw Refusals.withoutHash(uri);
            return copy(uri, real, sha256, into);
        } catch (NoSuchFileException e) {
            throw Refusals.unreadable(uri, "there is no such file or folder");
        } catch (IOException e) {
            if (e instanceof FileSystemException broken && "Not a directory".equals(broken.getReason())) {
                throw Refusals.unreadable(uri, "there is no such file or folder");
            }
            throw new SickMachine("FILE_UNREADABLE",
                    "reading %s failed: %s".formatted(Refusals.shown(uri), e.getMessage()), e);
        }
    }

    private Path copy(URI uri, Path real, String sha256, Path into) throws IOException {
        // Links were resolved; from here on there may be none, so that nobody can put one in between.
        try (FileChannel file = PlainFile.open(real);
                InputStream in = Channels.newInputStream(file)) {
            if (file.size() > config.maxBytes()) throw Refusals.tooLarge(uri, config.maxBytes());
            return new Receipt(uri, sha256, config.maxBytes()).write(in, into, _ -> {});
        }
    }

    private static Path path(URI uri) {
        boolean plain = uri.getRawAuthority() == null && uri.getRawQuery() == null;
        if (!plain) throw Refusals.refused(uri, "must look like file:///folder/maya.zip");
        try {
            return Path.of(uri).normalize();
        } catch (IllegalArgumentException e) {
            throw Refusals.refused(uri, "is not the path of a file");
        }
    }

    /// Where the path leads when all links are followed, if that is below an open folder too.
    ///
    /// A path outside is refused before anybody looks whether something is there.
    private Path below(URI uri, Path asked) throws IOException {
        for (Path written : config.fileRoots()) {
            Path root = home.resolve(written);
            Optional<Path> realRoot = real(root);
            if (realRoot.isEmpty()) continue;
            if (!asked.startsWith(root.toAbsolutePath().normalize()) && !asked.startsWith(realRoot.get())) continue;
            Path real = asked.toRealPath();
            if (real.startsWith(realRoot.get())) return real;
        }
        throw Refusals.refused(uri, "is not below a folder that this service may read; its operator lists them in"
                + " nocturne.sources.file-roots");
    }

    private static Optional<Path> real(Path root) {
        try {
            return Optional.of(root.toRealPath());
        } catch (IOException notMounted) {
            return Optional.empty();
        }
    }
}
