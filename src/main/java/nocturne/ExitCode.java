package nocturne;

import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// What a command's exit code says about the next step, for people and for the service that starts trainings.
///
/// The numbers are those of sysexits.h where it has one. The launcher script adds two of its own: 69 when no JDK is
/// found, 70 when the build fails. Anything else, such as 137, means that the process was ended from outside.
public enum ExitCode {
    /// Done.
    DONE(0, "done"),
    /// `EX_USAGE`: mend the input, then try again; trying again without that is no use.
    USER_MISTAKE(64, "the command line, the recipe or the files cannot be used; mend them and try again"),
    /// `EX_SOFTWARE`: our bug; report it.
    BUG(70, "a bug in Nocturne, or its build failed"),
    /// `EX_CANTCREAT`: another process or another run holds the folder.
    IN_USE(73, "the output or work folder is in use, or holds something else"),
    /// `EX_IOERR`: disk full, file vanished: the same job may be tried again, here or elsewhere.
    SICK_MACHINE(74, "the machine failed, such as a full disk; the same job may be tried again"),
    /// `EX_TEMPFAIL`: asked to stop, and all that is needed to go on is on the disk.
    STOPPED(75, "stopped when asked to; the same command goes on from there"),
    /// `EX_PROTOCOL` has this number, and nothing to do with it: the device failed, so try another one.
    DEVICE_SICK(76, "the device failed; the same job may be tried again on another one");

    private static final String DEVICE_CODES = "DEVICE_";

    private final int number;
    private final String meaning;

    ExitCode(int number, String meaning) {
        this.number = number;
        this.meaning = meaning;
    }

    public int number() {
        return number;
    }

    /// For the list of exit codes in `--help`.
    String meaning() {
        return meaning;
    }

    static ExitCode of(UserMistake mistake) {
        return switch (mistake.problems().getFirst().code()) {
            case "OUTPUT_IN_USE", "WORK_IN_USE" -> IN_USE;
            default -> USER_MISTAKE;
        };
    }

    static ExitCode of(SickMachine machine) {
        return machine.code().startsWith(DEVICE_CODES) ? DEVICE_SICK : SICK_MACHINE;
    }
}
