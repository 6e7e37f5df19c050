package nocturne.io;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/// Deletes folders with all that is in them, and nothing that is not.
///
/// A link is deleted, never followed. Where the system allows it (Linux, macOS) every step goes through the open
/// folder above it, so that not even a folder swapped for a link in between leads anywhere else.
public final class FolderTree {
    private FolderTree() {}

    /// Deletes a file, a link, or a folder and everything in it; does nothing if there is nothing.
    public static void delete(Path root) throws IOException {
        Path parent = root.toAbsolutePath().getParent();
        if (parent == null) throw new IOException("will not delete " + root);
        try (DirectoryStream<Path> folder = Files.newDirectoryStream(parent)) {
            if (folder instanceof SecureDirectoryStream<Path> secure) delete(secure, root.getFileName());
            else walk(root);
        } catch (NoSuchFileException gone) {
            // Somebody else deleted it, or it never was.
        } catch (DirectoryIteratorException e) {
            // A listing that fails on its way says so unchecked; to the caller it is a disk like any other that fails.
            throw e.getCause();
        }
    }

    private static void delete(SecureDirectoryStream<Path> parent, Path name) throws IOException {
        BasicFileAttributes attributes;
        try {
            attributes = parent.getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                    .readAttributes();
        } catch (NoSuchFileException gone) {
            return;
        }
        if (!attributes.isDirectory()) {
            parent.deleteFile(name);
            return;
        }
        try (SecureDirectoryStream<Path> folder = parent.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
            for (Path entry : folder) delete(folder, entry.getFileName());
        }
        parent.deleteDirectory(name);
    }

    private static void walk(Path root) throws IOException {
        if (!Files.exists(root, LinkOption.NOFOLLOW_LINKS)) return;
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure) throws IOException {
                if (failure != null) throw failure;
                Files.delete(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
