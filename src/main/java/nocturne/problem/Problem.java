package nocturne.problem;

import java.util.Objects;

/// One thing that is wrong with what a person gave us, said so that the person can mend it.
///
/// @param code  stable name for events and metrics, such as `RECIPE_INVALID`; the wording may change, this may not
/// @param where file, line and key, as the user knows them: `recipe.yaml line 14 network.linear`; may be empty
/// @param what  what is wrong and what would be right, one sentence or two
public record Problem(String code, String where, String what) {
    public Problem {
        Objects.requireNonNull(code);
        Objects.requireNonNull(where);
        Objects.requireNonNull(what);
    }

    @Override
    public String toString() {
        return where.isEmpty() ? what : where + ": " + what;
    }
}
