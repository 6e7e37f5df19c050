package nocturne.service.slot;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import nocturne.event.EventLine;
import nocturne.problem.Problem;
import org.jspecify.annotations.Nullable;

/// What the end of a trainer means for its job.
sealed interface Ending {
    /// The result is there.
    record Done() implements Ending {}

    /// The state is saved, or was as of the last checkpoint; the job goes on, and nothing is counted against it.
    record Interrupted(String code, String message) implements Ending {}

    record Cancelled() implements Ending {}

    /// It failed and may do better next time; counted.
    record Crashed(String code, String message) implements Ending {}

    /// It will fail every time.
    record Failed(String code, String message, List<Problem> problems) implements Ending {
        public Failed {
            problems = List.copyOf(problems);
        }
    }

    /// No room on the disk: nobody is to blame, and there is no use in trying until there is.
    record DiskFull(String message) implements Ending {}

    /// The device is to blame.
    record DeviceSick(String code, String message) implements Ending {}

    /// The device's memory was not enough for how it is used.
    record OutOfMemory(String message) implements Ending {}

    /// The run can only go on as it began, and the device's memory has no room for that now: nobody is to blame, and it
    /// may do when others have left.
    record MemoryTaken(String message) implements Ending {}

    /// It was killed and is still there, as a process in the middle of a call to a broken driver is.
    record Unkillable(String message) implements Ending {}

    /// What is known about a trainer that has ended.
    ///
    /// @param exitCode  128 and the signal's number, if it was one
    /// @param wish      what was asked of it, null if nothing
    /// @param completed whether its last word of all is that the result is there
    /// @param failed    its own words about what went wrong in this attempt, null if it said none
    /// @param lastWords the end of its standard error
    record Facts(int exitCode, @Nullable Wish wish, boolean completed, @Nullable EventLine failed, String lastWords) {}

    /// sysexits.h, as far as trainers use it.
    int INPUT = 64;
    int BUG = 70;
    int IN_USE = 73;
    int MACHINE = 74;
    int SAVED = 75;
    int DEVICE = 76;

    String OUT_OF_MEMORY = "GPU_OUT_OF_MEMORY";
    String MEMORY_TAKEN = "MEMORY_TAKEN";
    /// And the error's number: a kernel went wrong. Whether the device is to blame, or the program, or chance, shows
    /// when it is tried again in a new process.
    String KERNEL_ERROR = "DEVICE_ERROR";
    Map<Integer, String> SIGNALS = Map.of(1, "SIGHUP", 2, "SIGINT", 4, "SIGILL", 6, "SIGABRT", 7, "SIGBUS", 8, "SIGFPE",
            9, "SIGKILL", 11, "SIGSEGV", 15, "SIGTERM", 31, "SIGSYS");
    /// What the trainer's complaint on standard error ends with.
    Pattern CODE = Pattern.compile("\\[([A-Z][A-Z0-9_]{2,60})]\\s*$");

    /// A function of the facts and nothing else.
    static Ending of(Facts facts) {
        Wish wish = facts.wish();
        if (wish != null && wish.kind() == Wish.Kind.CANCEL) return new Cancelled();
        if (facts.exitCode() == 0 && facts.completed()) return new Done();
        // What the trainer found out about its input is true whatever was asked of it meanwhile.
        if (facts.exitCode() == INPUT) return failed(facts);
        if (wish != null) return asked(wish);
        return switch (facts.exitCode()) {
            case 0 -> new Crashed("NO_RESULT", "the trainer said that it was done, but its log names no result");
            case BUG -> failed(facts);
            case SAVED -> new Interrupted("CHECKPOINTED", "somebody asked the trainer to stop; its state is saved");
            case IN_USE -> new Crashed("IN_USE", "another process holds the job's folder or its device: "
                    + words(facts, "see trainer.log"));
            case MACHINE, DEVICE -> machine(facts);
            default -> crashed(facts);
        };
    }

    private static Ending asked(Wish wish) {
        return switch (wish.kind()) {
            case PAUSE, LEAVE_DEVICE -> new Interrupted(wish.code(), wish.message());
            case CANCEL -> new Cancelled();
            case HUNG -> new Crashed(wish.code(), wish.message());
        };
    }

    private static Ending failed(Facts facts) {
        EventLine event = facts.failed();
        if (event == null) {
            String code = facts.exitCode() == INPUT ? "TRAINER_REFUSED" : "BUG";
            return new Failed(code(facts, code), words(facts, "the trainer gave no reason"), List.of());
        }
        List<Problem> problems = new ArrayList<>();
        event.data().path("problems").forEach(problem -> problems.add(new Problem(problem.path("code").asText(),
                problem.path("where").asText(), Words.shown(problem.path("what").asText()))));
        return new Failed(event.data().path("code").asText("UNKNOWN"), words(facts, ""), problems);
    }

    private static Ending machine(Facts facts) {
        String code = code(facts, facts.exitCode() == DEVICE ? "DEVICE_SICK" : "MACHINE_FAILED");
        String message = words(facts, "the trainer gave no reason");
        if (code.equals("DISK_FULL")) return new DiskFull(message);
        if (code.equals(OUT_OF_MEMORY)) return new OutOfMemory(message);
        if (code.equals(MEMORY_TAKEN)) return new MemoryTaken(message);
        boolean isSick = facts.exitCode() == DEVICE && !code.startsWith(KERNEL_ERROR);
        return isSick ? new DeviceSick(code, message) : new Crashed(code, message);
    }

    private static Ending crashed(Facts facts) {
        String how = facts.exitCode() > 128 && SIGNALS.containsKey(facts.exitCode() - 128)
                ? "was ended by " + SIGNALS.get(facts.exitCode() - 128)
                : "ended with code " + facts.exitCode();
        String why = facts.exitCode() == 137 ? " (often the system's answer to too little memory)" : "";
        String last = facts.lastWords();
        return new Crashed("CRASHED", "the trainer " + how + why + (last.isEmpty() ? "" : "; its last words: " + last));
    }

    private static String code(Facts facts, String otherwise) {
        EventLine event = facts.failed();
        if (event != null) return event.data().path("code").asText(otherwise);
        Matcher code = CODE.matcher(facts.lastWords());
        return code.find() ? code.group(1) : otherwise;
    }

    private static String words(Facts facts, String otherwise) {
        String said = Optional.ofNullable(facts.failed()).map(event -> event.data().path("message").asText())
                .orElse(facts.lastWords());
        return said.isBlank() ? otherwise : Words.shown(said);
    }
}
