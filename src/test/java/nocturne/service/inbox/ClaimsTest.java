package nocturne.service.inbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Where claimed files go, and what becomes of those whose service is gone.
final class ClaimsTest {
    private static final Keeper.Answers LATER = claimed -> Outcome.LATER;

    @TempDir
    private Path inbox = Path.of("");

    private Claims claims;

    @BeforeEach
    void open() {
        claims = claims("studio~00000001");
    }

    @Test
    void rejectingNeverReplacesWhatLiesThere() throws IOException {
        for (String content : new String[] {"first", "second", "third"}) {
            Files.writeString(inbox.resolve("maya.zip"), content);
            claims.reject(claims.claim("maya.zip").orElseThrow());
        }
        assertThat(inbox.resolve("rejected/maya.zip")).hasContent("first");
        assertThat(inbox.resolve("rejected/maya-2.zip")).hasContent("second");
        assertThat(inbox.resolve("rejected/maya-3.zip")).hasContent("third");
        assertThat(claims.own()).isEmptyDirectory();
    }

    @Test
    void whatGoesBackLiesBesideANewerFileOfItsName() throws IOException {
        Files.writeString(inbox.resolve("maya.zip"), "older");
        Path claimed = claims.claim("maya.zip").orElseThrow();
        Files.writeString(inbox.resolve("maya.zip"), "newer");
        claims.giveBack(claimed);
        assertThat(inbox.resolve("maya.zip")).hasContent("newer");
        assertThat(inbox.resolve("maya-2.zip")).hasContent("older");
    }

    @Test
    void foldersAreClaimedReturnedAndDeletedWhole() throws IOException {
        Files.createDirectories(inbox.resolve("maya/deep"));
        Files.writeString(inbox.resolve("maya/deep/a.txt"), "a");
        claims.giveBack(claims.claim("maya").orElseThrow());
        assertThat(inbox.resolve("maya/deep/a.txt")).hasContent("a");
        claims.delete(claims.claim("maya").orElseThrow());
        assertThat(inbox.resolve("maya")).doesNotExist();
        assertThat(claims.own()).isEmptyDirectory();
    }

    @Test
    @Promise(row = 19, fault = "a claimed file that cannot be put where it belongs")
    void whatCannotBePutAwayIsPutAwayLaterUnderTheSameName() throws IOException {
        Files.writeString(inbox.resolve("maya.zip"), "maya");
        Path claimed = claims.claim("maya.zip").orElseThrow();
        Files.delete(inbox.resolve("rejected"));
        assertThatThrownBy(() -> claims.reject(claimed)).isInstanceOf(IOException.class);
        assertThat(claimed).hasContent("maya");
        Files.createDirectory(inbox.resolve("rejected"));
        List<String> answered = new CopyOnWriteArrayList<>();
        Keeper keeper = new Keeper(claims, again -> {
            answered.add(Claims.nameOf(again));
            return Outcome.REFUSED;
        }, () -> 0);
        keeper.look();
        keeper.look();
        await().untilAsserted(() -> assertThat(inbox.resolve("rejected/maya.zip")).hasContent("maya"));
        assertThat(answered).containsExactly(Claims.nameOf(claimed));
        assertThat(inbox.resolve("maya.zip")).as("where it would have been a new drop").doesNotExist();
    }

    @Test
    @Promise(row = 19, fault = "the disk is full when a claim from before is answered")
    void whatCannotBeAnsweredIsAskedAboutAgain() throws IOException {
        Files.writeString(inbox.resolve("maya.zip"), "maya");
        assertThat(claims.claim("maya.zip")).isPresent();
        AtomicInteger asked = new AtomicInteger();
        Keeper keeper = new Keeper(claims("studio~00000001"), again -> {
            if (asked.incrementAndGet() == 1) throw new SickMachine("DISK_FULL", "the disk is full", null);
            return Outcome.REFUSED;
        }, () -> 0);
        await().untilAsserted(() -> {
            keeper.look();
            assertThat(inbox.resolve("rejected/maya.zip")).hasContent("maya");
        });
        assertThat(asked).hasValue(2);
    }

    @Test
    void aMarkerComesAlongAndGoesBackWithWhatItMarks() throws IOException {
        Files.createDirectory(inbox.resolve("maya"));
        Files.createFile(inbox.resolve("maya.done"));
        Path claimed = claims.claim("maya").orElseThrow();
        assertThat(inbox.resolve("maya.done")).doesNotExist();
        Files.createDirectory(inbox.resolve("maya"));
        claims.giveBack(claimed);
        assertThat(inbox.resolve("maya-2")).isDirectory();
        assertThat(inbox.resolve("maya-2.done")).exists();
        assertThat(inbox.resolve("maya.done")).as("of the newer one, which is not whole yet").doesNotExist();
        assertThat(claims.own()).isEmptyDirectory();
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void aMarkerEndsWithWhatItMarks(boolean taken) throws IOException {
        Files.writeString(inbox.resolve("maya.zip"), "maya");
        Files.createFile(inbox.resolve("maya.zip.done"));
        Path claimed = claims.claim("maya.zip").orElseThrow();
        if (taken) claims.delete(claimed);
        else claims.reject(claimed);
        assertThat(inbox).isDirectoryNotContaining("glob:**.done");
        assertThat(inbox.resolve("rejected")).isDirectoryNotContaining("glob:**.done");
        assertThat(claims.own()).isEmptyDirectory();
    }

    @Test
    @Promise(row = 19, fault = "a service killed with a claimed folder, and started again")
    void aRestartPutsAFoldersMarkerBackToo() throws IOException {
        Files.createDirectory(inbox.resolve("maya"));
        Files.createFile(inbox.resolve("maya.done"));
        assertThat(claims.claim("maya")).isPresent();
        Keeper restarted = new Keeper(claims("studio~00000001"), LATER, () -> 0);
        restarted.start();
        await().untilAsserted(() -> assertThat(inbox.resolve("maya.done")).exists());
        assertThat(inbox.resolve("maya")).isDirectory();
        restarted.stop();
    }

    @Test
    void aClaimThatCannotBePutBackIsFoundAgain() throws IOException {
        Files.writeString(inbox.resolve("maya.zip"), "maya");
        boolean[] away = {false};
        Claims onAShare = new Claims(inbox, "share~00000003", new Names() {
            @Override
            void rename(Path from, Path to) throws IOException {
                if (away[0]) throw new IOException("the share is away");
                super.rename(from, to);
            }
        });
        Path claimed = onAShare.claim("maya.zip").orElseThrow();
        away[0] = true;
        assertThatThrownBy(() -> onAShare.giveBack(claimed)).hasMessageContaining("the share is away");
        assertThat(inbox.resolve("maya.zip")).as("a place that was kept free for it").doesNotExist();
        away[0] = false;
        for (Path place : onAShare.forgotten()) onAShare.rescue(place);
        assertThat(inbox.resolve("maya.zip")).hasContent("maya");
        assertThat(onAShare.own()).isEmptyDirectory();
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    @Promise(row = 35, fault = "a folder with a link to a canary, deleted after its import")
    void deletingAFolderDoesNotFollowItsLinks(@TempDir Path elsewhere) throws IOException {
        Path canary = Files.writeString(elsewhere.resolve("canary"), "sings");
        Files.createDirectory(inbox.resolve("maya"));
        Files.createSymbolicLink(inbox.resolve("maya/link"), elsewhere);
        claims.delete(claims.claim("maya").orElseThrow());
        assertThat(canary).hasContent("sings");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    @Promise(row = 35, fault = "a link where the folder for claimed files should be")
    void aLinkInPlaceOfOurFolderIsRefused(@TempDir Path elsewhere) throws IOException {
        Path other = Files.createDirectory(elsewhere.resolve("inbox"));
        Files.createSymbolicLink(other.resolve(".claimed"), elsewhere);
        assertThatThrownBy(() -> new Claims(other, "studio~00000001", new Names()))
                .isInstanceOf(UserMistake.class).hasMessageContaining(".claimed");
    }

    @Test
    void aNameThatIsGoneIsSomebodyElses() throws IOException {
        assertThat(claims.claim("maya.zip")).isEmpty();
        assertThat(claims.own()).isEmptyDirectory();
    }

    @ParameterizedTest
    @CsvSource({"maya.zip,2,maya-2.zip", "maya,3,maya-3", "a.job.json,2,a-2.job.json", ".x,2,.x-2"})
    void aNumberStandsBeforeTheEnding(String name, int number, String numbered) {
        assertThat(Claims.numbered(name, number)).isEqualTo(numbered);
    }

    @Test
    void theLongestNamesStayPossible() throws IOException {
        String name = "ä".repeat(125) + ".zip";
        for (int i = 0; i < 2; i++) {
            Files.createFile(inbox.resolve(name));
            claims.reject(claims.claim(name).orElseThrow());
        }
        assertThat(inbox.resolve("rejected")).isDirectoryContaining(file -> file.toString().endsWith("ä-2.zip"));
    }

    @Test
    @Promise(row = 19, fault = "a service killed with a claimed file, and started again")
    void aRestartAnswersItsOwnClaimsItself() throws IOException {
        Files.writeString(inbox.resolve("maya.zip"), "maya");
        assertThat(claims.claim("maya.zip")).isPresent();
        List<Path> seenInTheInbox = new CopyOnWriteArrayList<>();
        Keeper restarted = new Keeper(claims("studio~00000001"), claimed -> {
            if (Files.exists(inbox.resolve("maya.zip"))) seenInTheInbox.add(claimed);
            return Outcome.TAKEN;
        }, () -> 0);
        restarted.start();
        await().untilAsserted(() -> assertThat(claims.forgotten()).isEmpty());
        restarted.stop();
        assertThat(seenInTheInbox).as("where another service would have taken it again").isEmpty();
        assertThat(inbox.resolve("maya.zip")).doesNotExist();
    }

    /// The other one's clock does not matter, nor does ours of the day: only how long nothing was heard of it.
    @Test
    @Promise(row = 19, fault = "a service that never comes back from a kill with a claimed file")
    void anotherServicesClaimsGoBackAfterAMinuteOfSilence() throws IOException {
        Files.writeString(inbox.resolve("maya.zip"), "maya");
        Claims other = claims("attic~00000002");
        assertThat(other.claim("maya.zip")).isPresent();
        Keeper otherKeeper = new Keeper(other, LATER, () -> 0);
        long[] nanos = {0};
        Keeper keeper = new Keeper(claims, LATER, () -> nanos[0]);
        for (int seconds = 0; seconds <= 300; seconds += 30) {
            nanos[0] = TimeUnit.SECONDS.toNanos(seconds);
            otherKeeper.look();
            keeper.look();
        }
        assertThat(inbox.resolve("maya.zip")).as("while the other one lives").doesNotExist();

        for (int seconds = 300; seconds <= 420; seconds += 30) {
            nanos[0] = TimeUnit.SECONDS.toNanos(seconds);
            keeper.look();
            if (seconds < 360) assertThat(inbox.resolve("maya.zip")).as("after %d s", seconds).doesNotExist();
        }
        assertThat(inbox.resolve("maya.zip")).hasContent("maya");
        assertThat(other.own()).doesNotExist();
    }

    @Test
    void aClaimThatIsBeingWorkedOnStaysWhereItIs() throws IOException {
        Files.writeString(inbox.resolve("maya.zip"), "maya");
        Path claimed = claims.claim("maya.zip").orElseThrow();
        Keeper keeper = new Keeper(claims, LATER, () -> 0);
        for (int i = 0; i < 5; i++) keeper.look();
        assertThat(claimed).hasContent("maya");
    }

    private Claims claims(String name) {
        return new Claims(inbox, name, new Names());
    }
}
