package nocturne.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import nocturne.job.Job;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.job.LedgerOracle;
import nocturne.job.WorkFolder;
import nocturne.promise.Promise;
import nocturne.service.fake.FakeBundle;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A process that takes what lies in a folder, and deletes each bundle after the answer, is killed again and again.
/// In the end every bundle is a job, once, or is refused, once, and nothing is left over.
///
/// The moments are drawn from a seed that is printed; `-Dseed=` draws them again.
class IntakeKillTest {
    private static final int GOOD = 12;
    private static final int BAD = 4;
    private static final int KILLS = Boolean.getBoolean("nocturne.long") ? 100 : 12;

    @TempDir
    Path folder;

    @Test
    @Promise(row = 1, fault = "kill -9 at random moments while bundles are taken")
    void everyBundleIsAJobOnceHoweverOftenItsImportWasKilled() throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("seed=" + seed);
        Random random = new Random(seed);
        Path inbox = Files.createDirectories(folder.resolve("inbox"));
        for (int i = 0; i < GOOD; i++) FakeBundle.of("good-" + i).zip(inbox.resolve("good-" + i + ".zip"));
        for (int i = 0; i < BAD; i++) Files.writeString(inbox.resolve("bad-" + i + ".zip"), "PK, but no zip " + i);
        for (int kill = 0; kill < KILLS && isAnythingLeft(inbox); kill++) {
            Process process = start();
            if (!process.waitFor(random.nextInt(300, 900), TimeUnit.MILLISECONDS)) process.destroyForcibly().waitFor();
            new LedgerOracle(work()).check();
        }
        assertThat(start().waitFor()).isZero();
        try (Ledger ledger = Ledger.open(work(), "studio", InstantSource.system())) {
            List<Job> jobs = ledger.jobs();
            assertThat(jobs).filteredOn(job -> job.state() == JobState.QUEUED).extracting(Job::name)
                    .doesNotHaveDuplicates().hasSize(GOOD);
            assertThat(jobs).filteredOn(job -> job.state() == JobState.REFUSED).extracting(Job::name)
                    .doesNotHaveDuplicates().hasSize(BAD);
        }
        new LedgerOracle(work()).checkRecovered();
        assertThat(work().incoming()).isEmptyDirectory();
        assertThat(work().unreadable()).doesNotExist();
    }

    private WorkFolder work() {
        return new WorkFolder(folder.resolve("work"));
    }

    private static boolean isAnythingLeft(Path inbox) throws IOException {
        try (Stream<Path> files = Files.list(inbox)) {
            return files.findAny().isPresent();
        }
    }

    private Process start() throws IOException {
        List<String> command = List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx128m",
                "-cp", System.getProperty("java.class.path"), IntakeKillTest.class.getName(), folder.toString());
        return new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        try (IntakeCase its = new IntakeCase(folder)) {
            List<Path> dropped = new ArrayList<>();
            try (Stream<Path> files = Files.list(folder.resolve("inbox"))) {
                files.sorted().forEach(dropped::add);
            }
            for (Path bundle : dropped) {
                String name = bundle.getFileName().toString();
                its.intake.take(Incoming.dropped(bundle, name.replace(".zip", ""), "inbox:" + name, name));
                Files.delete(bundle);
            }
        }
    }
}
