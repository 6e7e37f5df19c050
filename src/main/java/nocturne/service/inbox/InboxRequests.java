package nocturne.service.inbox;

import io.micronaut.context.BeanProvider;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import nocturne.io.AtomicFiles;
import nocturne.io.FolderTree;
import nocturne.job.WorkFolder;
import nocturne.problem.UserMistake;
import nocturne.service.BundleSource;
import nocturne.service.Incoming;
import nocturne.service.Intake;
import nocturne.service.Intake.Verdict;
import nocturne.service.ServiceConfig;
import nocturne.service.message.JobRequest;

/// Requests for jobs whose bundles lie elsewhere, as files.
@Singleton
final class InboxRequests {
    private final Intake intake;
    private final BeanProvider<BundleSource> source;
    private final WorkFolder work;

    InboxRequests(Intake intake, BeanProvider<BundleSource> source, ServiceConfig config) {
        this.intake = intake;
        this.source = source;
        this.work = config.workFolder();
    }

    /// @param request its source is the file with the request
    /// @throws nocturne.problem.SickMachine if the bundle cannot be had or taken now
    Verdict take(Incoming request) throws IOException {
        // Its source may be away by now, and then it would come again as a request that nobody has seen.
        Optional<Verdict> before = intake.answerGivenBefore(request);
        if (before.isPresent()) return before.get();
        try {
            JobRequest asked = JobRequest.parse(SmallFile.read(request.source()));
            Path folder = newFolder();
            try {
                Path bundle = source.get().fetch(asked.bundle().uri(), asked.bundle().sha256(), folder);
                return intake.take(new Incoming(bundle, asked.name(), request.origin(), asked.id(), asked.model(),
                        asked.priority(), asked.rerun(), null, request.drop()));
            } finally {
                FolderTree.delete(folder);
            }
        } catch (UserMistake mistake) {
            return intake.refuse(request, mistake.problems());
        }
    }

    private Path newFolder() {
        try {
            Files.createDirectories(work.incoming());
            return Files.createTempDirectory(work.incoming(), "inbox-");
        } catch (IOException e) {
            throw AtomicFiles.explained(e, work.incoming());
        }
    }
}
