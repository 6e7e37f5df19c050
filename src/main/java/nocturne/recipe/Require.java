package nocturne.recipe;

/// Argument checks of the recipe's records. The key tables have told a person already; these guard our own code.
final class Require {
    private Require() {}

    static void that(boolean condition, String what, Object value) {
        if (!condition) throw new IllegalArgumentException(what + ", was " + value);
    }
}
