package nocturne.desk.demo;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import nocturne.desk.JobBoard;
import nocturne.desk.JobView;
import nocturne.desk.KafkaDoor;
import nocturne.desk.Quantity;
import nocturne.desk.RunningService;
import nocturne.desk.Submission;
import nocturne.event.EventLine;
import nocturne.job.JobState;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.service.Service;
import nocturne.service.ServiceConfig;
import nocturne.service.Settings;
import nocturne.service.Startup;
import nocturne.service.broker.BrokerProcess;

/// Runs the demonstration: starts a broker and a service, hands in two bundles by two doors, listens until both jobs
/// have ended, lists what is there, stops everything.
///
/// The service runs in this process. So it cannot outlive the demonstration, and with it go its trainers and the
/// broker, which are children that end when their parent is gone.
public final class Demo {
    private static final String JOBS = "nocturne.jobs";
    private static final String EVENTS = "nocturne.events";
    /// A minute on a quiet machine.
    private static final Duration PATIENCE = Duration.ofMinutes(15);
    /// What is still on its way when both jobs have ended.
    private static final Duration LAST_WORDS = Duration.ofSeconds(1);

    private final Startup startup;
    private final ServiceConfig config;
    private final Stage stage;
    private final BooleanSupplier isStopped;

    /// How it went.
    public enum Outcome { DONE, JOB_FAILED, STOPPED }

    /// @param startup   where the service lives; what the demonstration needs is set on top
    /// @param out       where it is told
    /// @param isStopped whether somebody wants it to end
    public Demo(Startup startup, PrintWriter out, BooleanSupplier isStopped) {
        this.startup = startup;
        this.stage = new Stage(out);
        this.isStopped = isStopped;
        try (Settings settings = Settings.read(startup)) {
            this.config = settings.of(ServiceConfig.class);
        }
    }

    /// @throws UserMistake `WORK_IN_USE` if a service is at work in the same folder
    public Outcome run() {
        // Asked before there is a service in this process; see RunningService.
        RunningService other = RunningService.in(config.workFolder(), Clock.systemUTC());
        if (other.isRunning()) {
            throw new UserMistake("WORK_IN_USE", config.work().toString(), other.words() + ". Stop it first, or give"
                    + " the demonstration a folder of its own: nocturne demo -Dnocturne.work=/tmp/demo/work");
        }
        Path folder = newFolder();
        try {
            Bundles bundles = Bundles.in(startup.home(), folder);
            stage.say("Two jobs, a service and a Kafka broker, all on this machine. Ctrl-C stops it.\n");
            stage.tell("", "starting a Kafka broker in a process of its own");
            try (BrokerProcess broker = BrokerProcess.start(folder.resolve("kafka"), 0)) {
                stage.tell("", "it answers on " + broker.bootstrap() + "; starting the service");
                return serve(broker.bootstrap(), bundles, folder);
            }
        } finally {
            delete(folder);
        }
    }

    private Outcome serve(String brokers, Bundles bundles, Path folder) {
        if (isStopped.getAsBoolean()) return Outcome.STOPPED;
        Service service = Service.start(with(brokers, folder));
        try (Listener listener = new Listener(brokers, EVENTS)) {
            stage.tell("", "it is ready: inbox %s, outbox %s".formatted(config.inbox(), config.outbox()));
            Optional<String> first = unfinished(bundles.first()).or(() -> drop(bundles.first(), folder));
            Optional<String> second = unfinished(bundles.second()).or(() -> send(bundles.second(), folder, brokers));
            return listen(listener, first, second);
        } finally {
            stage.tell("", "stopping the service and the broker");
            service.requestStop("the demonstration has ended");
            service.runUntilStopped();
        }
    }

    /// Faster than a service for the night would be: nobody copies into the inbox slowly, and somebody watches.
    private Startup with(String brokers, Path folder) {
        Map<String, String> settings = new HashMap<>(startup.settings());
        settings.put("nocturne.kafka.brokers", brokers);
        settings.put("nocturne.kafka.security.protocol", "PLAINTEXT");
        settings.put("nocturne.kafka.partitions", "3");
        settings.put("nocturne.kafka.replicas", "1");
        settings.put("nocturne.kafka.jobs", JOBS);
        settings.put("nocturne.kafka.events", EVENTS);
        settings.put("nocturne.sources.file-roots", folder.toString());
        // The example's model comes with Nocturne, wherever the operator keeps others.
        settings.put("nocturne.models.roots", "models");
        settings.put("nocturne.management.port", "0");
        settings.put("nocturne.windows", "");
        settings.put("nocturne.settle", "1s");
        settings.put("nocturne.progress", "3s");
        return new Startup(startup.home(), startup.file(), startup.environment(), settings, startup.version());
    }

    /// The job that an earlier demonstration left under way.
    private Optional<String> unfinished(Path bundle) {
        Optional<String> job = jobsOf(bundle).filter(view -> !view.job().isTerminal()).findFirst()
                .map(view -> view.job().id().text());
        job.ifPresent(id -> stage.tell(id, "was not finished the last time, and goes on"));
        return job;
    }

    private Optional<String> drop(Path bundle, Path folder) {
        Submission submission = submission(bundle);
        try {
            Path file = submission.toInbox(config.inbox(), List.of(folder));
            stage.tell("", "into the inbox: %s (%s)%s".formatted(file.getFileName(), size(file), again(submission)));
        } catch (UserMistake mistake) {
            if (!mistake.problems().getFirst().code().equals("INBOX_NAME_TAKEN")) throw mistake;
            stage.tell("", "in the inbox already: " + bundle.getFileName());
        }
        return Optional.empty();
    }

    private Optional<String> send(Path bundle, Path folder, String brokers) {
        Submission submission = submission(bundle);
        Submission.Message message = submission.toMessage(Integer.MAX_VALUE, List.of(folder));
        String place = KafkaDoor.send(message, JOBS, Map.of("bootstrap.servers", brokers));
        stage.tell("", "onto the topic: %s (%s), the same pictures with another seed and %d steps, as %s%s".formatted(
                bundle.getFileName(), Quantity.bytes(message.value().length), Bundles.SECOND_STEPS, place,
                again(submission)));
        return Optional.empty();
    }

    /// What was trained before is trained again only if that is said.
    private Submission submission(Path bundle) {
        boolean isKnown = jobsOf(bundle).anyMatch(view -> view.job().state() == JobState.COMPLETED);
        return new Submission(bundle.toString(), null, null, null, 0, isKnown, null);
    }

    private Stream<JobView> jobsOf(Path bundle) {
        String hash = Bundles.contentHash(bundle);
        return new JobBoard(config.workFolder(), Clock.systemUTC()).list().jobs().stream()
                .filter(view -> view.job().contentHash().equals(hash));
    }

    private static String again(Submission submission) {
        return submission.rerun() ? "; it was trained before, so it asks for another run" : "";
    }

    /// @param knownFirst  the job that the first bundle is, if that is known before it is heard of
    /// @param knownSecond the same for the second bundle
    private Outcome listen(Listener listener, Optional<String> knownFirst, Optional<String> knownSecond) {
        Story story = new Story(stage);
        long start = System.nanoTime();
        while (true) {
            for (EventLine event : listener.next()) story.hear(event);
            if (isStopped.getAsBoolean()) {
                stage.say("\nStopped. What was running has saved its state and goes on with the next demo or serve.");
                return Outcome.STOPPED;
            }
            Optional<String> first = knownFirst.or(() -> story.job("inbox:" + Bundles.FIRST + "."))
                    .or(() -> story.job(Bundles.FIRST));
            Optional<String> second = knownSecond.or(() -> story.job("kafka:" + JOBS))
                    .or(() -> story.job(Bundles.SECOND));
            if (first.flatMap(story::ending).isPresent() && second.flatMap(story::ending).isPresent()) {
                return end(listener, story, List.of(first.get(), second.get()));
            }
            if (System.nanoTime() - start > PATIENCE.toNanos()) {
                throw new SickMachine("DEMO_TIMEOUT", "the jobs have not ended after %s; what their trainers said is in"
                        .formatted(Quantity.time(PATIENCE)) + " work/jobs/*/trainer.log", new IOException("timeout"));
            }
        }
    }

    private Outcome end(Listener listener, Story story, List<String> jobs) {
        long start = System.nanoTime();
        while (System.nanoTime() - start < LAST_WORDS.toNanos()) listener.next().forEach(story::hear);
        new Results(stage, config.outbox()).tell(jobs, story.counts(), EVENTS);
        boolean isGood = jobs.stream().allMatch(job -> story.ending(job).equals(Optional.of("job.completed")));
        if (isGood) {
            stage.say("\nLook at " + config.outbox().resolve(jobs.getFirst()).resolve("report.html"));
            stage.say("The same for real use: ./nocturne serve, then drop zips into " + config.inbox() + "\n");
        }
        return isGood ? Outcome.DONE : Outcome.JOB_FAILED;
    }

    private static String size(Path file) {
        try {
            return Quantity.bytes(Files.size(file));
        } catch (IOException taken) {
            return "taken at once";
        }
    }

    private static Path newFolder() {
        try {
            return Files.createTempDirectory("nocturne-demo-").toRealPath();
        } catch (IOException e) {
            throw new SickMachine("WRITE_FAILED", "making a temporary folder failed: " + e.getMessage(), e);
        }
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(file);
        } catch (IOException e) {
            // The system clears its folder for temporary files some day.
        }
    }
}
