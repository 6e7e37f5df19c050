package nocturne.service.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import nocturne.promise.Promise;
import nocturne.service.BundleSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Files below what the operator opened, and nothing else, however it is named.
class FileSourceTest extends SourceCase {
    private Path root;
    private BundleSource source;

    @BeforeEach
    void openARoot() throws Exception {
        root = Files.createDirectory(folder.resolve("bundles"));
        Files.write(Files.createDirectory(root.resolve("team")).resolve("maya.zip"), ZIP);
        Files.write(folder.resolve("secret.zip"), ZIP);
        source = source(List.of(root, folder.resolve("not mounted")));
    }

    @Test
    void aZipBelowARootIsCopiedAndTheOriginalStays() throws IOException {
        brings(source, uri("team/maya.zip"));
        brings(source, uri("team/../team/maya.zip"));
        assertThat(root.resolve("team/maya.zip")).hasBinaryContent(ZIP);
    }

    @Test
    void aFolderStaysWhereItIsAndHasNoHash() {
        assertThat(source.fetch(URI.create(uri("team")), "", into)).isEqualTo(root.resolve("team"));
        refuses(source, uri("team"), SHA256, Refusals.REFUSED);
    }

    @Test
    void linksAreFollowedAsLongAsTheyStayInside() throws Exception {
        Files.createSymbolicLink(root.resolve("latest"), root.resolve("team"));
        brings(source, uri("latest/maya.zip"));
        // An operator may name a root by a link to it.
        Path alias = Files.createSymbolicLink(folder.resolve("alias"), root);
        brings(source(List.of(alias)), alias.resolve("team/maya.zip").toUri().toString());
        brings(source(List.of(alias)), uri("team/maya.zip"));
    }

    @Test
    @Promise(row = 33, fault = "file: addresses with .., escapes, links out of the root, hosts, and no root at all")
    void whatLiesOutsideIsRefusedWhetherItIsThereOrNot() throws Exception {
        Files.createSymbolicLink(root.resolve("out.zip"), folder.resolve("secret.zip"));
        Files.createSymbolicLink(root.resolve("up"), folder);
        Files.write(folder.resolve("bundles-of-others.zip"), ZIP);
        String there = folder.toUri() + "secret.zip";
        List<String> outside = List.of(there, folder.toUri() + "none.zip", uri("../secret.zip"),
                uri("%2e%2e/secret.zip"), uri("team/../../secret.zip"), uri("out.zip"), uri("up/secret.zip"),
                folder.toUri() + "bundles-of-others.zip", "file:///etc/passwd", "file:///proc/self/environ");
        for (String uri : outside) {
            assertThat(refuses(source, uri, Refusals.REFUSED)).as(uri)
                    .contains("is not below a folder that this service may read");
        }
        refuses(source, "file://server" + root + "/team/maya.zip", Refusals.REFUSED);
        refuses(source, "file://localhost" + root + "/team/maya.zip", Refusals.REFUSED);
        refuses(source, uri("team/maya.zip?a=b"), Refusals.REFUSED);
        refuses(source, uri("team/maya%00.zip"), Refusals.REFUSED);
        refuses(source, "file:team/maya.zip", Refusals.REFUSED);
        refuses(source(List.of()), uri("team/maya.zip"), Refusals.REFUSED);
    }

    @Test
    void relativeRootsAreBelowHome() throws Exception {
        SourceConfig config = config(List.of(Path.of("bundles")), List.of(), List.of(), List.of());
        FileSource files = new FileSource(config, root.getParent());
        assertThat(root.getFileName()).hasToString("bundles");
        assertThat(files.fetch(URI.create(uri("team")), "", folder)).isEqualTo(root.resolve("team").toRealPath());
    }

    @Test
    @Promise(row = 35, fault = "file: addresses of pipes, devices and second names")
    void onlyPlainFilesAreRead() throws Exception {
        assertThat(new ProcessBuilder("mkfifo", root.resolve("pipe.zip").toString()).start().waitFor()).isZero();
        Files.createLink(root.resolve("second.zip"), folder.resolve("secret.zip"));
        refuses(source, uri("pipe.zip"), "BUNDLE_INVALID");
        refuses(source, uri("second.zip"), "BUNDLE_INVALID");
        refuses(source(List.of(Path.of("/dev"))), "file:///dev/zero", "BUNDLE_INVALID");
    }

    @Test
    void whatIsNotThereOrIsNotWhatWasAnnouncedIsSaid() throws Exception {
        assertThat(refuses(source, uri("team/none.zip"), Refusals.UNREADABLE)).contains("there is no such file");
        refuses(source, uri("team/maya.zip/below.zip"), Refusals.UNREADABLE);
        refuses(source, uri("team/maya.zip"), "0".repeat(64), Refusals.HASH_MISMATCH);
        refuses(source, uri("team/maya.zip"), "", Refusals.REFUSED);
        Files.write(root.resolve("large.zip"), new byte[(1 << 20) + 1]);
        refuses(source, uri("large.zip"), Refusals.TOO_LARGE);
    }

    private String uri(String path) {
        return root.toUri() + path;
    }

    private static BundleSource source(List<Path> roots) throws Exception {
        SourceConfig config = config(roots, List.of(), List.of(), List.of());
        return new Sources(new FileSource(config, Path.of("")), new WebSource(config),
                new S3Source(config, new S3Config(null, "", true, List.of(), null, null), Map.of()));
    }
}
