package nocturne.service.message;

import nocturne.job.JobId;
import nocturne.problem.UserMistake;
import nocturne.service.CommandDesk.Command;
import org.jspecify.annotations.Nullable;

/// A wish about a job, as others write it. The value of a record on the commands topic, or a `*.command.json` in the
/// inbox:
///
/// ```
/// {"version": 1, "command": "cancel", "job": "maya-7f3a91c2"}
/// {"version": 1, "command": "retry", "job": "maya-7f3a91c2"}
/// {"version": 1, "command": "priority", "job": "maya-7f3a91c2", "priority": 5}
/// {"version": 1, "command": "drain"}
/// ```
public final class CommandMessage {
    private static final int LONGEST_TEXT = 200;
    private static final int MOST_URGENT = 1_000;

    private CommandMessage() {}

    /// Reads a command.
    ///
    /// @throws UserMistake with everything that is wrong
    public static Command parse(byte[] message) {
        Fields fields = Fields.read(message);
        String word = fields.text("command", LONGEST_TEXT);
        Command command = word == null ? missing(fields) : switch (word) {
            case "cancel" -> new Command.Cancel(job(fields));
            case "retry" -> new Command.Retry(job(fields));
            case "priority" -> new Command.Prioritise(job(fields), priority(fields));
            case "drain" -> new Command.Drain("asked for by a message");
            default -> {
                fields.wrong("command", "is not known; cancel, retry, priority or drain");
                // What else it says cannot be judged then.
                fields.refuseIfWrong("the command");
                yield null;
            }
        };
        fields.refuseOthers();
        fields.refuseIfWrong("the command");
        if (command == null) throw new IllegalStateException("a command without a word is a problem");
        return command;
    }

    private static @Nullable Command missing(Fields fields) {
        if (!fields.has("command")) fields.wrong("command", "is missing; cancel, retry, priority or drain");
        fields.refuseIfWrong("the command");
        return null;
    }

    /// The job, or a stand-in for one that is wrong: the problem is noted and the command never leaves.
    private static JobId job(Fields fields) {
        String job = fields.text("job", LONGEST_TEXT);
        if (job != null && JobId.isValid(job)) return new JobId(job);
        if (job != null) fields.wrong("job", "is not a job's id");
        else if (!fields.has("job")) fields.wrong("job", "is missing; the job's id, as in outbox/<job>/");
        return new JobId("none");
    }

    private static int priority(Fields fields) {
        Integer priority = fields.number("priority", -MOST_URGENT, MOST_URGENT);
        if (priority != null) return priority;
        if (!fields.has("priority")) fields.wrong("priority", "is missing; 0 is usual, higher goes first");
        return 0;
    }
}
