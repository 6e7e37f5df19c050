package nocturne.problem;

import org.jspecify.annotations.Nullable;

/// The machine failed us (disk full, device lost, file vanished): the job is sound and may be tried again elsewhere.
public final class SickMachine extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String code;

    /// @param code  stable name, such as `DISK_FULL`
    /// @param doing what we were doing, what happened, and what to do
    /// @param cause null where nothing was thrown
    public SickMachine(String code, String doing, @Nullable Throwable cause) {
        super(doing, cause);
        this.code = code;
    }

    public String code() {
        return code;
    }
}
