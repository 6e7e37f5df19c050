package nocturne;

import java.io.PrintWriter;
import java.time.Clock;
import java.util.concurrent.Callable;
import nocturne.desk.JobBoard;
import nocturne.desk.JobStory;
import nocturne.service.ServiceConfig;
import nocturne.service.Settings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `nocturne show JOB`: all about one job.
@Command(name = "show", description = "Tells all about one job: state, history, checkpoints, problems, and where its"
        + " files are. Reads work/ only.")
final class ShowCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "JOB", description = "Its id, or the beginning of it where that says which.")
    private String job = "";

    @Option(names = "--json", description = "As a JSON object with every event, for programs.")
    private boolean json;

    @Mixin
    private SettingsOptions settings = new SettingsOptions();

    ShowCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try (Settings read = settings.read()) {
            ServiceConfig config = read.of(ServiceConfig.class);
            JobBoard board = new JobBoard(config.workFolder(), Clock.systemUTC());
            JobStory story = new JobStory(config.workFolder(), config.outbox(), board.find(job));
            if (json) out.println(story.json());
            else story.print(out);
        }
        return ExitCode.DONE.number();
    }
}
