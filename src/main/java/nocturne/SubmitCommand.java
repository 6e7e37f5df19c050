package nocturne;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import nocturne.desk.Answer;
import nocturne.desk.KafkaDoor;
import nocturne.desk.Logs;
import nocturne.desk.Printable;
import nocturne.desk.RunningService;
import nocturne.desk.Submission;
import nocturne.job.Job;
import nocturne.job.JobState;
import nocturne.job.WorkFolder;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.service.ServiceConfig;
import nocturne.service.Settings;
import nocturne.service.kafka.KafkaConfig;
import nocturne.service.kafka.KafkaSettings;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `nocturne submit BUNDLE`: hands a bundle to the service, and waits for its answer.
@Command(name = "submit", description = "Hands a bundle to the service: into its inbox, or to Kafka. Waits for the"
        + " answer where the service runs here; ends with 64 if it was refused.")
final class SubmitCommand implements Callable<Integer> {
    /// Beyond what a dropped file must hold still anyway.
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "BUNDLE", description = "A zip or folder on this machine, or an address of a zip that the"
            + " service may fetch (https:, s3:, file:).")
    private String bundle = "";

    @Option(names = "--kafka", description = "To the jobs topic instead of the inbox: any host may take it. A bundle on"
            + " this machine travels inside the message.")
    private boolean kafka;

    @Option(names = "--brokers", paramLabel = "HOST:PORT,...",
            description = "Kafka's, where they are not those of the settings (nocturne.kafka.brokers).")
    private @Nullable String brokers;

    @Option(names = "--name", description = "What to call the job. Default: as its file or folder is called.")
    private @Nullable String name;

    @Option(names = "--id", description = "The job id wanted; the same id twice is the same job.")
    private @Nullable String id;

    @Option(names = "--model", paramLabel = "NAME", description = "A pipeline instead of the one the recipe names: what"
            + " its folder is called in the service's folders for models (nocturne.models.roots).")
    private @Nullable String model;

    @Option(names = "--priority", paramLabel = "N", description = "Higher goes first; 0 is usual.")
    private int priority;

    @Option(names = "--rerun", description = "Train again although the same was trained before.")
    private boolean rerun;

    @Option(names = "--sha256", paramLabel = "HEX", description = "Of the zip, where the bundle is an address.")
    private @Nullable String sha256;

    @Option(names = "--wait", paramLabel = "SECONDS", description = "How long to wait for the answer; 0 not at all."
            + " Default: a little longer than a dropped file has to hold still.")
    private @Nullable Integer seconds;

    @Mixin
    private SettingsOptions settings = new SettingsOptions();

    SubmitCommand() {}

    @Override
    public Integer call() {
        Logs.withoutKafka();
        PrintWriter out = spec.commandLine().getOut();
        Submission submission = new Submission(bundle, name, id, model, priority, rerun, sha256);
        try (Settings read = settings.read()) {
            ServiceConfig config = read.of(ServiceConfig.class);
            List<Path> roots = read.paths("nocturne.sources.file-roots");
            RunningService service = RunningService.in(config.workFolder(), Clock.systemUTC());
            Answer answer = new Answer(config.workFolder());
            String origin;
            if (kafka || brokers != null) {
                origin = toKafka(submission, read, roots);
                out.println("sent: " + origin);
            } else {
                Path file = submission.toInbox(config.inbox(), roots);
                origin = "inbox:" + file.getFileName();
                out.println("in the inbox: " + file);
            }
            out.flush();
            if (!service.isRunning()) {
                out.println(service.words() + (kafka ? "; whichever host is free takes it"
                        : "; it will be taken when one starts: nocturne serve"));
                return ExitCode.DONE.number();
            }
            Integer asked = seconds;
            Duration patience = asked == null ? config.settle().plus(PATIENCE) : Duration.ofSeconds(Math.max(0, asked));
            return tell(answer.await(origin, patience), config.workFolder(), out);
        }
    }

    private String toKafka(Submission submission, Settings read, List<Path> roots) {
        KafkaConfig config = read.of(KafkaConfig.class);
        Map<String, Object> client = new HashMap<>(read.of(KafkaSettings.class).common());
        if (brokers != null) client.put("bootstrap.servers", brokers);
        if (String.valueOf(client.get("bootstrap.servers")).isBlank()) {
            throw new UserMistake("KAFKA_UNKNOWN", "--kafka",
                    "where is it? Name it with --brokers, or in the settings: nocturne.kafka.brokers.");
        }
        return KafkaDoor.send(submission.toMessage(config.largest(), roots), config.jobs(), client);
    }

    private static int tell(Optional<Answer.Verdict> verdict, WorkFolder work, PrintWriter out) {
        if (verdict.isEmpty()) {
            out.println("no answer yet; nocturne jobs shows it when it is there");
            return ExitCode.DONE.number();
        }
        Job job = verdict.get().job();
        if (verdict.get().isDuplicate()) {
            out.printf("the same was there before: %s is %s%n", job.id(), job.state().word());
        } else if (job.state() == JobState.REFUSED) {
            out.printf("refused as %s:%n", job.id());
            for (Problem problem : job.problems()) out.println("  " + Printable.of(problem.toString()));
            return ExitCode.USER_MISTAKE.number();
        } else {
            out.printf("accepted as %s: %d pictures, %d steps; nocturne show %s (%s)%n", job.id(), job.pictures(),
                    job.steps(), job.id(), work.job(job.id()));
        }
        return ExitCode.DONE.number();
    }
}
