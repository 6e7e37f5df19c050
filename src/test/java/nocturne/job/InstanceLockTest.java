package nocturne.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstanceLockTest {
    @TempDir
    Path folder;

    @Test
    @Promise(row = 47, fault = "a second service is started, then the first one is killed with kill -9")
    void oneServiceToAWorkFolderAndADeadOneHoldsNothing() throws Exception {
        WorkFolder work = new WorkFolder(folder.resolve("work"));
        Process first = LedgerWorkload.start(work, "", "hold");
        try {
            first.getInputStream().read();          // it says something once it holds the folder
            assertThatThrownBy(() -> open(work)).isInstanceOf(UserMistake.class)
                    .hasMessageContaining("process " + first.pid())
                    .satisfies(e -> assertThat(((UserMistake) e).problems().getFirst().code())
                            .isEqualTo(Ledger.IN_USE));
            assertThatThrownBy(() -> open(work)).as("asking took nothing away").isInstanceOf(UserMistake.class);
        } finally {
            first.destroyForcibly().waitFor();
        }
        assertThat(work.instanceLock()).content().contains("process " + first.pid());
        try (Ledger second = open(work)) {
            assertThat(second.jobs()).isEmpty();
            assertThat(work.instanceLock()).content().contains("process " + ProcessHandle.current().pid());
        }
    }

    /// A process loses its lock on a file when it closes any of its ways to it, so a refused second start within the
    /// process must not even look into the file.
    @Test
    @Promise(row = 47, fault = "a second start within one process, then one from another process")
    void aRefusedSecondStartDoesNotUnlockTheFirst() throws Exception {
        WorkFolder work = new WorkFolder(folder.resolve("work"));
        try (Ledger ledger = open(work)) {
            assertThatThrownBy(() -> open(work)).isInstanceOf(UserMistake.class).hasMessageContaining("this one");
            assertThat(ledger.jobs()).isEmpty();
            Process other = LedgerWorkload.start(work, "", "hold");
            other.getOutputStream().close();
            assertThat(other.waitFor()).isEqualTo(LedgerWorkload.REFUSED);
        }
        open(work).close();
    }

    @Test
    void theHolderIsNamedByItsHostToo() throws IOException {
        WorkFolder work = new WorkFolder(folder.resolve("work"));
        open(work).close();
        assertThat(Files.readString(work.instanceLock())).contains("studio");
    }

    private static Ledger open(WorkFolder work) {
        return Ledger.open(work, "studio", InstantSource.system());
    }
}
