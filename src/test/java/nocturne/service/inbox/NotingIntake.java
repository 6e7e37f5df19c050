package nocturne.service.inbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.micronaut.context.annotation.Primary;
import io.micronaut.context.annotation.Requires;
import io.micronaut.context.annotation.Value;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import nocturne.io.ContentHash;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.service.Incoming;
import nocturne.service.Intake;

/// An intake that only notes what it was given, in a folder that several processes may share: one file for each
/// service, one line for each bundle, forced to the disk. Bundles called `bad...` are refused; while `sick` lies in the
/// folder, nothing can be taken; one called `bug...` meets a bug.
@Singleton
@Primary
@Requires(property = "micronaut.test.intake")
public final class NotingIntake implements Intake {
    private final Path notes;
    private final String self;

    /// @param notes the folder
    public NotingIntake(@Value("${micronaut.test.intake}") Path notes, @Value("${nocturne.host}") String self) {
        this.notes = notes;
        this.self = self;
    }

    @Override
    public synchronized Verdict take(Incoming bundle) {
        if (Files.exists(notes.resolve("sick"))) {
            throw new SickMachine("DISK_FULL", "the disk is full", new IOException("No space left on device"));
        }
        if (bundle.name().startsWith("bug")) throw new IllegalStateException("a bug");
        if (bundle.name().startsWith("bad")) return refuse(bundle, List.of(new Problem("BAD", "", "is bad")));
        String content = Files.isDirectory(bundle.source()) ? "folder" : ContentHash.ofFile(bundle.source());
        boolean known = lines().stream().anyMatch(line -> line.endsWith(content) && !content.equals("folder"));
        note("taken " + bundle.name() + " " + content);
        Job job = Job.queued(new JobId("noted"), bundle.name(), bundle.origin(), content, "", null, 0, "", 0, 0, null);
        return known ? new Verdict.Duplicate(job) : new Verdict.Accepted(job);
    }

    @Override
    public Optional<Verdict> answerGivenBefore(Incoming bundle) {
        return Optional.empty();
    }

    @Override
    public synchronized Verdict.Refused refuse(Incoming bundle, List<Problem> problems) {
        note("refused " + bundle.name() + " " + problems.getFirst().code());
        Job job = Job.refused(new JobId("noted"), bundle.name(), bundle.origin(), "", "", problems, null);
        return new Verdict.Refused(job, problems);
    }

    private List<String> lines() {
        try {
            Path file = notes.resolve(self + ".txt");
            return Files.exists(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void note(String line) {
        try (FileChannel file = FileChannel.open(notes.resolve(self + ".txt"), StandardOpenOption.CREATE,
                StandardOpenOption.APPEND)) {
            file.write(ByteBuffer.wrap((line + "\n").getBytes(UTF_8)));
            file.force(true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
