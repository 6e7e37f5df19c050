package nocturne;

import java.io.PrintWriter;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import nocturne.desk.JobBoard;
import nocturne.desk.JobTable;
import nocturne.desk.JobView;
import nocturne.desk.Printable;
import nocturne.desk.RunningService;
import nocturne.job.WorkFolder;
import nocturne.service.ServiceConfig;
import nocturne.service.Settings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `nocturne jobs`: what the service has to do and has done.
@Command(name = "jobs", description = "Lists the jobs that wait or run, and those that were taken in since yesterday."
        + " Reads work/ only, so it works whether or not the service runs.")
final class JobsCommand implements Callable<Integer> {
    private static final Duration RECENT = Duration.ofDays(1);

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--all", description = "Also those that ended before.")
    private boolean all;

    @Option(names = "--json", description = "As a JSON array, for programs.")
    private boolean json;

    @Mixin
    private SettingsOptions settings = new SettingsOptions();

    JobsCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        Clock clock = Clock.systemUTC();
        try (Settings read = settings.read()) {
            WorkFolder work = read.of(ServiceConfig.class).workFolder();
            JobBoard.Listing listing = new JobBoard(work, clock).list();
            List<JobView> shown = listing.jobs().stream().filter(view -> all || isOfInterest(view, clock)).toList();
            if (json) out.println(JobTable.json(shown));
            else print(shown, listing.jobs().size(), RunningService.in(work, clock), out);
            PrintWriter err = spec.commandLine().getErr();
            for (String damaged : listing.unreadable()) err.println("unreadable: " + Printable.of(damaged, 300));
        }
        return ExitCode.DONE.number();
    }

    private static void print(List<JobView> shown, int known, RunningService service, PrintWriter out) {
        if (!shown.isEmpty()) JobTable.print(shown, out);
        if (known > shown.size()) {
            out.printf("%s%d older ones that ended: nocturne jobs --all%n", shown.isEmpty() ? "" : "\n",
                    known - shown.size());
        } else if (known == 0) {
            out.println("no jobs yet; " + service.words());
            return;
        }
        if (!service.isRunning() && shown.stream().anyMatch(view -> !view.job().isTerminal())) {
            out.printf("%n%s; the jobs go on when one starts: nocturne serve%n", service.words());
        }
    }

    private static boolean isOfInterest(JobView view, Clock clock) {
        // RFC 3339 in UTC sorts as text.
        String since = Instant.now(clock).minus(RECENT).toString();
        return !view.job().isTerminal() || view.job().created().compareTo(since) >= 0;
    }
}
