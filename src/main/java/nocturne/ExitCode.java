package nocturne;

/// What a command's exit code says about the next step, for people and for the service that starts trainings.
///
/// The launcher script adds two of its own: 69 when no JDK is found, 70 when the build fails.
public enum ExitCode {
    /// Done.
    DONE(0),
    /// The command line, the recipe or the files cannot be used: mend them, then try again.
    USER_MISTAKE(2),
    /// The machine failed (disk full, device lost): the same job may be tried again, here or elsewhere.
    SICK_MACHINE(3),
    /// Our bug: report it. The number is `EX_SOFTWARE` of sysexits.h.
    BUG(70);

    private final int number;

    ExitCode(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }
}
