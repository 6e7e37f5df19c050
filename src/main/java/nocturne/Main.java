package nocturne;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// The `nocturne` command: reads the command line, runs a subcommand, turns whatever went wrong into words.
@Command(
        name = "nocturne",
        description = "Trains LoRAs for Qwen-Image while people sleep.",
        subcommands = {TrainCommand.class, ServeCommand.class, JobsCommand.class, ShowCommand.class,
            CancelCommand.class, RetryCommand.class, DoctorCommand.class, DemoCommand.class, SubmitCommand.class,
                    DevicesCommand.class, BenchCommand.class, RecipeCommand.class, PullCommand.class,
            CheckCommand.class},
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        scope = ScopeType.INHERIT,
        sortOptions = false,
        usageHelpAutoWidth = true,
        exitCodeListHeading = "%nExit codes:%n")
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--debug",
            description = "When something goes wrong, also print the stack trace.",
            scope = ScopeType.INHERIT)
    private boolean debug;

    private final StopSignal stopSignal = new StopSignal();

    Main() {}

    public static void main(String[] args) {
        StandardError.restore();
        // Captions and prompts are printed as they are; the platform's charset may know only ASCII.
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        int exitCode = new Main().run(out, err, args);
        System.exit(exitCode);
    }

    /// Runs one command line to its end and answers with the number of an [ExitCode]; throws nothing.
    ///
    /// @param out where results and progress go
    /// @param err where complaints go
    int run(PrintWriter out, PrintWriter err, String... args) {
        // A name that begins with @ is a name, and no file to take arguments from; --name=--help is one, too.
        CommandLine commands = new CommandLine(this).setExpandAtFiles(false)
                .setAllowOptionsAsOptionParameters(true);
        return run(commands, out, err, args);
    }

    /// As above, for a test that has added commands of its own to `commands`.
    int run(CommandLine commands, PrintWriter out, PrintWriter err, String... args) {
        Complaints complaints = new Complaints(err);
        commands.setOut(out).setErr(err).setCaseInsensitiveEnumValuesAllowed(true);
        commands.setParameterExceptionHandler((mistake, _) -> complaints.about(mistake).number());
        commands.setExecutionExceptionHandler((failure, _, _) -> complaints.about(failure, debug).number());
        explainExitCodes(commands);
        int exitCode;
        try {
            exitCode = commands.execute(args);
        } catch (Throwable failure) {
            // Errors, such as a stack that overflows, pass picocli's handler by.
            exitCode = complaints.about(failure, debug).number();
        }
        out.flush();
        err.flush();
        stopSignal.ended(exitCode);
        return exitCode;
    }

    /// What a command asks whether to leave off.
    StopSignal stopSignal() {
        return stopSignal;
    }

    private static void explainExitCodes(CommandLine commands) {
        Map<String, String> list = new TreeMap<>(Map.of("69", "no suitable JDK was found"));
        for (ExitCode code : ExitCode.values()) list.put("%2d".formatted(code.number()), code.meaning());
        commands.getCommandSpec().usageMessage().exitCodeList(list);
        for (CommandLine command : commands.getSubcommands().values()) explainExitCodes(command);
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Say which command, such as train, serve or demo.");
    }
}
