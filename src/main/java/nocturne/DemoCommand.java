package nocturne;

import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import nocturne.desk.Logs;
import nocturne.desk.demo.Demo;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `nocturne demo`: the whole service in a minute.
@Command(name = "demo",
        description = "Shows the whole service in a minute: starts a Kafka broker and the service, drops the"
                + " example into the inbox and a second bundle onto the topic, tells what happens as it happens,"
                + " lists what came out, and stops everything.")
final class DemoCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private SettingsOptions settings = new SettingsOptions();

    DemoCommand() {}

    @Override
    public Integer call() {
        Logs.warningsOnly();
        AtomicBoolean stopped = new AtomicBoolean();
        ServiceSignals.caught().tell(_ -> stopped.set(true));
        Demo.Outcome outcome = new Demo(settings.startup(), spec.commandLine().getOut(), stopped::get).run();
        return (switch (outcome) {
            case DONE -> ExitCode.DONE;
            case JOB_FAILED -> ExitCode.SICK_MACHINE;
            case STOPPED -> ExitCode.STOPPED;
        }).number();
    }
}
