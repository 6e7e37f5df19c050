package nocturne.service.inbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Claims over a file system that behaves as network shares do on bad days.
final class NamesTest {
    private static final int FILES = 60;
    private static final int SERVICES = 3;

    @TempDir
    private Path inbox = Path.of("");

    /// What goes wrong, every third time that it can.
    enum Fault {
        /// The rename happens and is then reported as failed: nothing under the old name.
        DONE_BUT_NOT_FOUND,
        /// The same, reported as an input/output error.
        DONE_BUT_FAILED,
        /// The rename does not happen and is reported as a stale handle; the next try works.
        STALE_RENAME,
        /// Looking at a name reports a stale handle.
        STALE_LOOK,
        /// What was renamed is seen under its new name a little later, and the rename is reported as failed.
        DONE_AND_SEEN_LATER
    }

    /// Three services with the same faulty share race for the same files. Each file is claimed once, or, where the
    /// share lied to the end, lies in one service's folder as forgotten, from where its keeper puts it back.
    @ParameterizedTest
    @EnumSource(Fault.class)
    @Promise(row = 20, fault = "renames that lie, handles that go stale, names that are seen later",
            with = "a faulty layer over the file system")
    void everyFileIsClaimedOnceOrFoundAgain(Fault fault) throws Exception {
        List<Claims> services = new ArrayList<>();
        for (int i = 0; i < SERVICES; i++) services.add(new Claims(inbox, "host~0000000" + i, new Faulty(fault)));
        for (int i = 0; i < FILES; i++) Files.writeString(inbox.resolve(i + ".zip"), "content " + i);

        int[] claimed = new int[FILES];
        CountDownLatch go = new CountDownLatch(1);
        List<Thread> threads = services.stream().map(service -> Thread.ofPlatform().start(() -> {
            try {
                go.await();
                for (int i = 0; i < FILES; i++) {
                    Optional<Path> mine = service.claim(i + ".zip");
                    if (mine.isEmpty()) continue;
                    assertThat(mine.get()).hasContent("content " + i);
                    synchronized (claimed) {
                        claimed[i]++;
                    }
                }
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        })).toList();
        go.countDown();
        for (Thread thread : threads) thread.join();

        for (Claims service : services) {
            for (Path place : service.forgotten()) service.rescue(place);
        }
        for (int i = 0; i < FILES; i++) {
            int back = Files.exists(inbox.resolve(i + ".zip")) ? 1 : 0;
            assertThat(claimed[i] + back).as("file %d: claimed or back in the inbox", i).isEqualTo(1);
        }
    }

    @Test
    void aFileThatIsThereAndCannotBeRenamedIsSaidToBe() throws IOException {
        Path file = Files.createFile(inbox.resolve("x"));
        Names broken = new Names() {
            @Override
            void rename(Path from, Path to) throws IOException {
                throw new IOException("Permission denied");
            }
        };
        assertThatThrownBy(() -> broken.move(file, inbox.resolve("y"))).hasMessage("Permission denied");
    }

    private static final class Faulty extends Names {
        private final Fault fault;
        private final AtomicInteger calls = new AtomicInteger();
        private volatile Path hidden;
        private final AtomicInteger looks = new AtomicInteger();

        Faulty(Fault fault) {
            this.fault = fault;
        }

        @Override
        void rename(Path from, Path to) throws IOException {
            boolean now = calls.incrementAndGet() % 3 == 0;
            if (now && fault == Fault.STALE_RENAME) throw new IOException(from + ": Stale file handle");
            super.rename(from, to);
            if (!now) return;
            switch (fault) {
                case DONE_BUT_NOT_FOUND -> throw new NoSuchFileException(from.toString());
                case DONE_BUT_FAILED -> throw new IOException(from + ": Input/output error");
                case DONE_AND_SEEN_LATER -> {
                    hidden = to;
                    looks.set(calls.get() % 2 == 0 ? 2 : 50);
                    throw new NoSuchFileException(from.toString());
                }
                case STALE_RENAME, STALE_LOOK -> { }
            }
        }

        @Override
        void look(Path path) throws IOException {
            if (fault == Fault.STALE_LOOK && calls.incrementAndGet() % 3 == 0) {
                throw new IOException(path + ": Stale file handle");
            }
            if (path.equals(hidden) && looks.getAndDecrement() > 0) throw new NoSuchFileException(path.toString());
            super.look(path);
        }
    }
}
