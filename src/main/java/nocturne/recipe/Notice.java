package nocturne.recipe;

import java.util.Objects;

/// Something the person should know about how the recipe was understood; nothing is wrong with it.
///
/// @param code  stable: the ledger's row, such as `X-09`
/// @param where line and key as the user knows them, such as `line 14  train.lr`; the key alone when nobody wrote it
/// @param text  one sentence or two
public record Notice(String code, String where, String text) {
    public Notice {
        Objects.requireNonNull(code);
        Objects.requireNonNull(where);
        Objects.requireNonNull(text);
    }

    @Override
    public String toString() {
        return where + ": " + text;
    }
}
