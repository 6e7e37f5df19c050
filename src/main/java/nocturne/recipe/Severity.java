package nocturne.recipe;

import java.util.Locale;

/// How much something matters that a rule says, from least to most.
public enum Severity {
    /// Good to know: how something was understood, or what follows from it.
    NOTICE,
    /// The run will probably be worse for it.
    WARNING,
    /// Not accepted; only ever told as a [nocturne.problem.Problem].
    ERROR;

    /// As events spell it.
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
