package nocturne.desk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.io.ContentHash;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import nocturne.service.message.JobRequest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What `submit` puts at the service's door, and what it refuses to put there.
final class SubmissionTest {
    @TempDir
    private Path folder;

    private Path bundle;
    private Path inbox;

    @BeforeEach
    void makeBundle() throws IOException {
        bundle = Files.createDirectories(folder.resolve("maya"));
        Files.createDirectories(bundle.resolve("dataset"));
        Files.writeString(bundle.resolve("recipe.yaml"), "job: extension\n");
        Files.writeString(bundle.resolve("dataset/0001.txt"), "a photo");
        Files.write(bundle.resolve("dataset/0001.png"), new byte[3000]);
        Files.writeString(bundle.resolve(".DS_Store"), "left behind by an operating system");
        inbox = folder.resolve("inbox");
    }

    @Test
    void aFolderArrivesAsAZipWithTheSameContent() {
        Path zip = plain(bundle.toString()).toInbox(inbox, List.of());
        assertThat(zip).isEqualTo(inbox.resolve("maya.zip"));
        Bundle sent = Bundle.open(bundle, folder, BundleLimits.STANDARD);
        Bundle arrived = Bundle.open(zip, folder.resolve("unpacked"), BundleLimits.STANDARD);
        assertThat(arrived.files()).isEqualTo(sent.files()).doesNotContain(".DS_Store");
        assertThat(arrived.contentHash()).isEqualTo(sent.contentHash());
        assertThat(everythingIn(inbox)).as("nothing else is left there").containsExactly("maya.zip");
    }

    @Test
    void theSameFolderIsTheSameZip() throws IOException {
        Path first = plain(bundle.toString()).toInbox(inbox, List.of());
        Files.setLastModifiedTime(bundle.resolve("recipe.yaml"), FileTime.fromMillis(0));
        Path second = named(bundle.toString(), "other").toInbox(inbox, List.of());
        assertThat(ContentHash.ofFile(first)).isEqualTo(ContentHash.ofFile(second));
    }

    @Test
    void aZipArrivesAsItIs() throws IOException {
        Path zip = plain(bundle.toString()).toInbox(folder, List.of());
        Path arrived = named(zip.toString(), "Maya, second try").toInbox(inbox, List.of());
        assertThat(arrived.getFileName()).hasToString("Maya, second try.zip");
        assertThat(Files.mismatch(zip, arrived)).isEqualTo(-1);
    }

    @Test
    void whatWaitsInTheInboxIsNotReplaced() {
        plain(bundle.toString()).toInbox(inbox, List.of());
        assertThatThrownBy(() -> plain(bundle.toString()).toInbox(inbox, List.of()))
                .isInstanceOf(UserMistake.class).hasMessageContaining("--name");
    }

    @Test
    @Promise(row = 17, fault = "a zip whose copy stopped half way is submitted")
    void halfAZipIsRefusedBeforeItTravels() throws IOException {
        Path zip = plain(bundle.toString()).toInbox(folder, List.of());
        byte[] whole = Files.readAllBytes(zip);
        Files.write(zip, Arrays.copyOf(whole, whole.length / 2));
        refused(zip.toString(), "is no whole zip");
    }

    @Test
    void whatIsNoBundleIsRefusedBeforeItTravels() throws IOException {
        refused(folder.resolve("nowhere").toString(), "there is no such file or folder");
        refused(Files.createDirectories(folder.resolve("empty")).toString(), "empty");
        refused(Files.writeString(folder.resolve("text.zip"), "hello").toString(), "is no whole zip");
        refused("/dev/null", "neither a folder nor a file");
        refused("a\0b", "is not a file name");
    }

    @Test
    void anAddressBecomesARequestThatTheServiceUnderstands() throws IOException {
        String hash = "ab".repeat(32);
        Path file = new Submission("https://studio.example/sets/maya.zip", null, "maya-v2", "qwen-image", 5, true, hash)
                .toInbox(inbox, List.of());
        assertThat(file.getFileName()).hasToString("maya.job.json");
        JobRequest request = JobRequest.parse(Files.readAllBytes(file));
        assertThat(request.id()).isEqualTo("maya-v2");
        assertThat(request.name()).isEqualTo("maya");
        assertThat(request.bundle().uri()).hasToString("https://studio.example/sets/maya.zip");
        assertThat(request.bundle().sha256()).isEqualTo(hash);
        assertThat(request.model()).isEqualTo("qwen-image");
        assertThat(request.priority()).isEqualTo(5);
        assertThat(request.rerun()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://studio.example/maya.zip", "https://studio.example/maya.zip", "s3:",
        "https://a b/maya.zip"})
    void anAddressThatTheServiceWouldRefuseIsRefusedAtOnce(String address) {
        // The second one lacks its hash.
        refused(address, "");
    }

    @Test
    void wishesAboutALocalBundleNeedAFolderThatTheServiceMayRead() {
        Submission again = new Submission(bundle.toString(), null, null, null, 0, true, null);
        assertThatThrownBy(() -> again.toInbox(inbox, List.of())).isInstanceOf(UserMistake.class)
                .hasMessageContaining("nocturne.sources.file-roots");
        Path file = again.toInbox(inbox, List.of(folder));
        assertThat(file.getFileName()).hasToString("maya.job.json");
        assertThat(file).content().contains("\"rerun\" : true", bundle.toUri().toString().replaceFirst("/$", ""));
    }

    @Test
    void aBundleTooLargeForAMessageIsRefusedWithAWayOut() {
        assertThat(plain(bundle.toString()).toMessage(1 << 20, List.of()).value()).startsWith('P', 'K');
        assertThatThrownBy(() -> plain(bundle.toString()).toMessage(100, List.of())).isInstanceOf(UserMistake.class)
                .hasMessageContaining("submit its address");
    }

    private void refused(String what, String why) {
        assertThatThrownBy(() -> plain(what).toInbox(inbox, List.of())).isInstanceOf(UserMistake.class)
                .hasMessageContaining(why);
        assertThat(everythingIn(inbox)).isEmpty();
    }

    private static Submission plain(String what) {
        return new Submission(what, null, null, null, 0, false, null);
    }

    private static Submission named(String what, String name) {
        return new Submission(what, name, null, null, 0, false, null);
    }

    private static List<String> everythingIn(Path folder) {
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
