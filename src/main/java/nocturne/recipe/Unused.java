package nocturne.recipe;

import java.util.List;
import java.util.Locale;

/// A key that other trainers know and the engine does not use: one row of a compact table.
///
/// Written `name` or `name=value` or `name=value|value`; a `*` at the end of a name stands for anything.
sealed interface Unused {
    List<String> names();

    /// The row of the ledger.
    String ledger();

    /// Why, as a sentence without its capital and its full stop.
    String why();

    /// Accepted with any value; a notice says that it does nothing.
    record Ignored(String ledger, String why, List<String> names) implements Unused {}

    /// Accepted silently at the value that changes nothing; any other is refused. Without a value in the row, that is
    /// "off": nothing, false, 0 or empty.
    record Fixed(String ledger, String why, List<String> names) implements Unused {}

    /// Refused with any value except null.
    record Refused(String ledger, String why, List<String> names) implements Unused {}

    static Unused ignored(String ledger, String why, String... names) {
        return new Ignored(ledger, why, List.of(names));
    }

    static Unused fixed(String ledger, String why, String... names) {
        return new Fixed(ledger, why, List.of(names));
    }

    static Unused refused(String ledger, String why, String... names) {
        return new Refused(ledger, why, List.of(names));
    }

    /// Says to `findings` what there is to say about a written key.
    static void judge(Unused row, String written, Node.Entry entry, String path, Findings findings) {
        switch (row) {
            case Ignored(String ledger, String why, List<String> _) ->
                    findings.note(ledger, entry.at(), path, "is not used: " + why + ".");
            case Refused(String _, String why, List<String> _) -> {
                if (!entry.value().isNull()) findings.refuse(entry.at(), path, "is not supported: " + why + ".");
            }
            case Fixed(String _, String why, List<String> _) -> {
                String allowed = value(written);
                if (!isAllowed(entry.value(), allowed)) {
                    findings.refuse(entry.value().at(), path, "%s is not allowed; %s: %s.".formatted(
                            entry.value().shown(), allowed.isEmpty() ? "leave it off" : "only "
                                    + allowed.replace("|", " or "),
                            why));
                }
            }
        }
    }

    /// Whether the row's name, which may end in `*`, covers a written key.
    static boolean covers(String rowName, String key) {
        String name = name(rowName);
        return name.endsWith("*") ? key.startsWith(name.substring(0, name.length() - 1)) : name.equals(key);
    }

    static String name(String rowName) {
        int equals = rowName.indexOf('=');
        return equals < 0 ? rowName : rowName.substring(0, equals);
    }

    /// The values that change nothing, separated by `|`; empty for "off".
    static String value(String rowName) {
        int equals = rowName.indexOf('=');
        return equals < 0 ? "" : rowName.substring(equals + 1);
    }

    private static boolean isAllowed(Node node, String allowed) {
        if (node.isNull()) return true;
        if (allowed.isEmpty()) return isOff(node);
        if (!(node instanceof Node.Scalar scalar) || scalar.text() == null) return false;
        for (String value : allowed.split("\\|")) if (sameScalar(scalar.text(), value)) return true;
        return false;
    }

    private static boolean isOff(Node node) {
        return switch (node) {
            case Node.Scalar scalar -> scalar.text() == null || scalar.text().isBlank()
                    || sameScalar(scalar.text(), "false") || sameScalar(scalar.text(), "0");
            case Node.Sequence sequence -> sequence.items().isEmpty();
            case Node.Mapping mapping -> mapping.entries().isEmpty();
        };
    }

    private static boolean sameScalar(String written, String value) {
        String one = bare(written);
        String other = bare(value);
        if (one.equals(other)) return true;
        if (new Kind.Flag().parse(one).equals(new Kind.Flag().parse(other)) && new Kind.Flag().parse(one).isPresent()) {
            return true;
        }
        return Numbers.parse(one).isPresent() && Numbers.parse(other).isPresent()
                && Numbers.parse(one).get().compareTo(Numbers.parse(other).get()) == 0;
    }

    private static String bare(String text) {
        String trimmed = text.strip().toLowerCase(Locale.ROOT);
        return Numbers.parse(trimmed).isPresent() ? trimmed : trimmed.replaceAll("[_\\- ]", "");
    }
}
