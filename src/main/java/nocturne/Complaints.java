package nocturne;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import nocturne.desk.Printable;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/// Says what went wrong in the words the next step needs, and picks the [ExitCode] that goes with it.
///
/// @param err where complaints go
record Complaints(PrintWriter err) {

    /// A command line that makes no sense.
    ExitCode about(ParameterException mistake) {
        err.println(mistake.getMessage());
        UnmatchedArgumentException.printSuggestions(mistake, err);
        err.println("Try '" + mistake.getCommandLine().getCommandSpec().qualifiedName() + " --help'.");
        return ExitCode.USER_MISTAKE;
    }

    /// Anything that came out of a command.
    ///
    /// @param debug whether the user wants to see the stack trace
    ExitCode about(Throwable failure, boolean debug) {
        ExitCode code =
                switch (failure) {
                    case UserMistake mistake -> {
                        // It quotes what a stranger wrote, and this is a terminal.
                        mistake.report().lines().map(Printable::of).forEach(err::println);
                        yield ExitCode.of(mistake);
                    }
                    case SickMachine machine -> {
                        // One line with the code: whoever started us may have nothing else to go by.
                        err.println(Printable.of(oneLine(machine.getMessage())) + " [" + machine.code() + "]");
                        yield ExitCode.of(machine);
                    }
                    default -> {
                        err.println("this is a bug in Nocturne: " + failure + (debug ? "" : " " + keep(failure)));
                        yield ExitCode.BUG;
                    }
                };
        if (debug) failure.printStackTrace(err);
        return code;
    }

    private static String oneLine(@Nullable String text) {
        return String.valueOf(text).replaceAll("\\s*\\R\\s*", " ");
    }

    /// Keeps the stack trace where a bug report can take it from: what failed overnight may not fail again.
    private static String keep(Throwable failure) {
        StringWriter trace = new StringWriter();
        failure.printStackTrace(new PrintWriter(trace));
        try {
            Path file = Files.createTempFile("nocturne-bug-", ".txt");
            Files.writeString(file, trace.toString());
            return "(details in " + file + ", or with --debug)";
        } catch (IOException _) {
            return "(details with --debug)";
        }
    }
}
