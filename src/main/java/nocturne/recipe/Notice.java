package nocturne.recipe;

import java.util.Objects;

/// Something the person should know about what was asked and how it was understood; nothing is refused for it.
///
/// @param code     stable: the ledger's row, such as `X-09`, which is also the rule's id for `i_know`
/// @param severity [Severity#NOTICE] or [Severity#WARNING]
/// @param where    line and key as the user knows them, such as `line 14  train.lr`; the key alone when nobody wrote
///                 it; empty when it is about no key
/// @param text     one sentence or two
public record Notice(String code, Severity severity, String where, String text) {
    public Notice {
        Objects.requireNonNull(code);
        Objects.requireNonNull(where);
        Objects.requireNonNull(text);
        Require.that(severity != Severity.ERROR, "an error is a problem, not a notice", severity);
    }

    public boolean isWarning() {
        return severity == Severity.WARNING;
    }

    @Override
    public String toString() {
        return where.isEmpty() ? text : where + ": " + text;
    }
}
