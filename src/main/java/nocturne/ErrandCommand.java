package nocturne;

import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import nocturne.desk.Errand;
import nocturne.service.ServiceConfig;
import nocturne.service.Settings;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// A command that brings the service a wish about a job, and waits a little to see what comes of it.
abstract class ErrandCommand implements Callable<Integer> {
    private final BiConsumer<Errand, String> wish;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "JOB", description = "Its id, or the beginning of it where that says which.")
    private String job = "";

    @Option(names = "--wait", paramLabel = "SECONDS", defaultValue = "10",
            description = "How long to wait for the service to do it. Default: ${DEFAULT-VALUE}.")
    private int seconds = 10;

    @Mixin
    private SettingsOptions settings = new SettingsOptions();

    /// @param wish brought about the job that was named
    ErrandCommand(BiConsumer<Errand, String> wish) {
        this.wish = wish;
    }

    @Override
    public final Integer call() {
        try (Settings read = settings.read()) {
            ServiceConfig config = read.of(ServiceConfig.class);
            wish.accept(new Errand(config.workFolder(), config.inbox(), Duration.ofSeconds(Math.max(0, seconds)),
                    Clock.systemUTC(), spec.commandLine().getOut()), job);
        }
        return ExitCode.DONE.number();
    }
}
