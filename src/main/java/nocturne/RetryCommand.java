package nocturne;

import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.Callable;
import nocturne.desk.Errand;
import nocturne.service.ServiceConfig;
import nocturne.service.Settings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `nocturne retry JOB`: another try for a job.
@Command(name = "retry",
        description = "Lets a job that failed, was cancelled or is parked try again, from its last checkpoint.")
final class RetryCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "JOB", description = "Its id, or the beginning of it where that says which.")
    private String job = "";

    @Option(names = "--wait", paramLabel = "SECONDS", defaultValue = "10",
            description = "How long to wait for the service to do it. Default: ${DEFAULT-VALUE}.")
    private int seconds = 10;

    @Mixin
    private SettingsOptions settings = new SettingsOptions();

    RetryCommand() {}

    @Override
    public Integer call() {
        try (Settings read = settings.read()) {
            ServiceConfig config = read.of(ServiceConfig.class);
            new Errand(config.workFolder(), config.inbox(), Duration.ofSeconds(Math.max(0, seconds)), Clock.systemUTC(),
                    spec.commandLine().getOut()).retry(job);
        }
        return ExitCode.DONE.number();
    }
}
