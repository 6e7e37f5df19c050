package nocturne.bundle;

import static nocturne.bundle.HostileZipTest.noise;
import static nocturne.bundle.HostileZipTest.zip;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import nocturne.bundle.HostileZipTest.Entry;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What strangers put into the inbox: only files that are theirs are read, and only as they were when they were opened.
class DroppedBundleTest {
    private static final String SECRET = "the operator's secret";

    private static final int ROUNDS = Boolean.getBoolean("nocturne.long") ? 5000 : 150;

    @TempDir
    Path folder;

    private Path inbox;
    private Path work;

    @BeforeEach
    void layOut() throws IOException {
        inbox = Files.createDirectories(folder.resolve("inbox"));
        work = folder.resolve("work");
        Files.writeString(folder.resolve("secret.txt"), SECRET);
        Files.write(folder.resolve("secret.zip"), zip(new Entry("secret.txt", SECRET)));
    }

    @Test
    void aZipAndAFolderOfTheSameFilesAreTheSameBundle() throws IOException {
        Path dropped = write("maya/1.png", "y").getParent();
        write("maya/sub/2.png", "z");
        write("maya/.DS_Store", "junk");
        Bundle copied = take(dropped);
        Bundle unpacked = take(Files.write(inbox.resolve("maya.zip"),
                zip(new Entry("1.png", "y"), new Entry("sub/2.png", "z"))));
        assertThat(copied.contentHash()).isEqualTo(unpacked.contentHash());
        assertThat(copied.root().getParent()).isEqualTo(work);
        assertThat(copied.root()).hasFileName("bundle-" + copied.contentHash().substring(0, 16));
        assertThat(work).isDirectoryNotContaining("glob:**.part*");
        assertThat(dropped.resolve("1.png")).as("the original").exists();
    }

    @Test
    @Promise(row = 35, fault = "a symbolic link, a hard link, a pipe and a folder where a zip is expected")
    void onlyAPlainFileIsRead() throws Exception {
        Files.createSymbolicLink(inbox.resolve("link.zip"), folder.resolve("secret.zip"));
        Files.createLink(inbox.resolve("hard.zip"), folder.resolve("secret.zip"));
        Files.createSymbolicLink(inbox.resolve("folder"), folder);
        assertThat(new ProcessBuilder("mkfifo", inbox.resolve("pipe.zip").toString()).start().waitFor()).isZero();
        refused(inbox.resolve("link.zip"), "link.zip: is a link");
        refused(inbox.resolve("hard.zip"), "has a second name somewhere else");
        refused(inbox.resolve("folder"), "is a link");
        refused(inbox.resolve("pipe.zip"), "is not a file");
        refused(inbox.resolve("none.zip"), "there is no such file");
        assertThat(work).doesNotExist();
    }

    @Test
    @Promise(row = 35, fault = "symbolic links, hard links and pipes inside a dropped folder")
    void aFolderIsTakenOnlyWithFilesOfItsOwn() throws Exception {
        Path dropped = write("maya/1.png", "y").getParent();
        Files.createSymbolicLink(dropped.resolve("2.png"), folder.resolve("secret.txt"));
        Files.createSymbolicLink(dropped.resolve("3.png"), dropped.resolve("1.png"));
        Files.createSymbolicLink(dropped.resolve("sub"), folder);
        Files.createLink(dropped.resolve("4.png"), folder.resolve("secret.txt"));
        assertThat(new ProcessBuilder("mkfifo", dropped.resolve("5.png").toString()).start().waitFor()).isZero();
        assertThatThrownBy(() -> take(dropped)).isInstanceOfSatisfying(UserMistake.class, mistake ->
                assertThat(mistake.problems()).extracting(Object::toString).containsExactly(
                        "2.png: is a link; put the file itself there",
                        "3.png: is a link; put the file itself there",
                        "4.png: has a second name somewhere else (a hard link); put a copy there",
                        "5.png: is not a file",
                        "sub: is a link; put the file itself there"));
        assertThat(work).isEmptyDirectory();
    }

    @Test
    @Promise(row = 6, fault = "a dropped folder over each limit")
    void aFolderObeysTheLimitsOfAZip() throws IOException {
        Path many = write("many/0.txt", "x").getParent();
        for (int i = 1; i < 6; i++) write("many/" + i + ".txt", "x");
        Path large = write("large/1.png", "x".repeat(2000)).getParent();
        Path nested = inbox.resolve("nested");
        Files.createDirectory(nested);
        Files.write(nested.resolve("a.png"), zip(new Entry("b.png", "x")));
        Path named = write("named/a\u001b[2J.png", "x").getParent();
        BundleLimits limits = new BundleLimits(5, 1000, 3000, 200, Duration.ofMinutes(1));
        refused(many, limits, "holds more than 5 entries");
        refused(large, limits, "1.png: unpacks to more than is allowed (1,000 bytes a file");
        refused(nested, limits, "a.png: is itself an archive (zip)");
        refused(named, limits, "a?[2J.png: has control characters in its name");
        assertThat(work).isEmptyDirectory();
    }

    /// Somebody exchanges the file for a link to a secret, and back, as fast as possible, while we take it again and
    /// again. Each time it is the harmless bundle, or refused; never the secret.
    @Test
    @Promise(row = 35, fault = "a zip exchanged for a link to a secret and back in a tight loop, while it is taken")
    void whatIsExchangedWhileItIsTakenIsNotRead() throws Exception {
        Path zip = inbox.resolve("maya.zip");
        Path next = inbox.resolve("next");
        Path spare = Files.write(inbox.resolve("spare"), zip(new Entry("1.png", noise(300))));
        AtomicBoolean enough = new AtomicBoolean();
        Thread villain = Thread.ofPlatform().start(() -> {
            while (!enough.get()) {
                attempt(() -> Files.copy(spare, next));
                attempt(() -> Files.move(next, zip, StandardCopyOption.ATOMIC_MOVE));
                attempt(() -> Files.createSymbolicLink(next, folder.resolve("secret.zip")));
                attempt(() -> Files.move(next, zip, StandardCopyOption.ATOMIC_MOVE));
            }
        });
        try {
            int taken = takeAgainAndAgain(zip, ROUNDS);
            assertThat(taken).as("rounds that met the harmless file").isPositive();
        } finally {
            enough.set(true);
            villain.join();
        }
    }

    @Test
    @Promise(row = 35, fault = "a folder in a dropped folder exchanged for a link in a tight loop, while it is taken")
    void aFolderThatIsExchangedForALinkLeadsNowhere() throws Exception {
        Path dropped = write("maya/0.png", "y").getParent();
        Path sub = dropped.resolve("sub");
        Path outside = Files.createDirectories(folder.resolve("outside"));
        Files.writeString(outside.resolve("secret.txt"), SECRET);
        AtomicBoolean enough = new AtomicBoolean();
        Thread villain = Thread.ofPlatform().start(() -> {
            while (!enough.get()) {
                attempt(() -> Files.createSymbolicLink(sub, outside));
                attempt(() -> Files.delete(sub));
                attempt(() -> Files.createDirectory(sub));
                attempt(() -> Files.delete(sub));
            }
        });
        try {
            assertThat(takeAgainAndAgain(dropped, ROUNDS)).as("rounds that met no link").isPositive();
        } finally {
            enough.set(true);
            villain.join();
        }
    }

    private int takeAgainAndAgain(Path dropped, int rounds) {
        return assertTimeoutPreemptively(Duration.ofMinutes(1), () -> {
            int taken = 0;
            // At least so many, and until the harmless one was met: the villain may begin late.
            for (int round = 0; round < rounds || taken == 0; round++) {
                Path into = work.resolve(Integer.toString(round));
                try {
                    Bundle bundle = Bundle.take(dropped, "maya", into, BundleLimits.STANDARD);
                    assertThat(bundle.files()).doesNotContain("secret.txt", "sub/secret.txt");
                    taken++;
                } catch (UserMistake refused) {
                    assertThat(into).satisfiesAnyOf(none -> assertThat(none).doesNotExist(),
                            empty -> assertThat(empty).isEmptyDirectory());
                }
                try (Stream<Path> files = Files.walk(Files.createDirectories(into))) {
                    assertThat(files.filter(Files::isRegularFile))
                            .noneMatch(file -> String.valueOf(file.getFileName()).contains("secret"));
                }
            }
            return taken;
        });
    }

    private interface Deed {
        void run() throws IOException;
    }

    /// What fails is tried again in the villain's next round.
    private static void attempt(Deed deed) {
        try {
            deed.run();
        } catch (IOException raceLost) {
            return;
        }
    }

    private Bundle take(Path dropped) {
        return Bundle.take(dropped, "maya", work, BundleLimits.STANDARD);
    }

    private void refused(Path dropped, String reason) {
        refused(dropped, BundleLimits.STANDARD, reason);
    }

    private void refused(Path dropped, BundleLimits limits, String reason) {
        assertTimeoutPreemptively(Duration.ofMinutes(1), () ->
                assertThatThrownBy(() -> Bundle.take(dropped, "maya", work, limits))
                        .isInstanceOfSatisfying(UserMistake.class,
                                mistake -> assertThat(mistake.report()).contains(reason)));
    }

    private Path write(String name, String text) throws IOException {
        Path file = inbox.resolve(name);
        Files.createDirectories(file.getParent());
        assertThat(Files.exists(file, LinkOption.NOFOLLOW_LINKS)).isFalse();
        return Files.writeString(file, text);
    }
}
