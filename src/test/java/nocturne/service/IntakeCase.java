package nocturne.service;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.Ledger;
import nocturne.job.LedgerOracle;
import nocturne.job.WorkFolder;
import nocturne.plan.Limits;
import nocturne.service.fake.FakeBundle;

/// An intake with a ledger in a folder of its own, and bundles for it.
final class IntakeCase implements AutoCloseable {
    final Path folder;
    final WorkFolder work;
    final LedgerOracle oracle;
    final Ledger ledger;
    final IntakeDesk intake;
    /// Set it to make the clock jump.
    Instant time = Instant.parse("2026-11-21T12:00:00Z");

    IntakeCase(Path folder) {
        this(folder, 0);
    }

    /// @param reserve bytes that stay free on the disk
    IntakeCase(Path folder, long reserve) {
        this.folder = folder;
        work = new WorkFolder(folder.resolve("work"));
        oracle = new LedgerOracle(work);
        ledger = Ledger.open(work, "studio", () -> time);
        intake = desk(ledger, folder, reserve);
    }

    static IntakeDesk desk(Ledger ledger, Path folder, long reserve) {
        return desk(ledger, folder, reserve, Limits.STANDARD.steps());
    }

    /// @param steps that a recipe may ask for
    static IntakeDesk desk(Ledger ledger, Path folder, long reserve, long steps) {
        ServiceConfig config = new ServiceConfig(Path.of("").toAbsolutePath(), folder.resolve("inbox"),
                folder.resolve("outbox"), folder.resolve("work"), folder.resolve("routes"), "studio",
                Duration.ofSeconds(1), Duration.ofSeconds(1));
        LimitsConfig limits = new LimitsConfig(10_000, 256L << 20, 8L << 30, 200, Duration.ofMinutes(10),
                Duration.ofSeconds(10), steps, 20_000, 2048 * 2048, 200, 5_000);
        return new IntakeDesk(ledger, config, new ModelsConfig(List.of(Path.of("models")),
                ModelsConfig.Pull.NEVER), limits, new DiskConfig(reserve));
    }

    /// A zip in a folder that stands for the inbox.
    Path zip(String name) throws IOException {
        Files.createDirectories(folder.resolve("inbox"));
        return FakeBundle.of(name).zip(folder.resolve("inbox/" + name + ".zip"));
    }

    Path folder(String name) throws IOException {
        return FakeBundle.of(name).folder(folder.resolve("inbox/" + name));
    }

    Intake.Verdict drop(Path source) {
        String name = source.getFileName().toString().replaceFirst("\\.zip$", "");
        return intake.take(Incoming.named(source, name, "inbox:" + source.getFileName()));
    }

    static Job job(Intake.Verdict verdict) {
        return switch (verdict) {
            case Intake.Verdict.Accepted(Job job) -> job;
            case Intake.Verdict.Duplicate(Job job) -> job;
            case Intake.Verdict.Refused(Job job, var problems) -> job;
        };
    }

    Job job(JobId id) {
        return ledger.job(id).orElseThrow();
    }

    /// The types of a job's events, without what all have in common.
    List<String> told(Job job) {
        return oracle.told(job.id());
    }

    @Override
    public void close() {
        ledger.close();
    }
}
