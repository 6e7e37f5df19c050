package nocturne.bundle;

import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// The name of something in a bundle, checked so that it can become a path on any system without leaving its folder.
///
/// @param path relative, parts joined by `/`, Unicode composed (Macs store `é` as two characters, recipes say one)
record EntryName(String path) {
    private static final int MOST_PARTS = 32;
    private static final int MOST_PART_BYTES = 255;
    private static final int MOST_BYTES = 1024;
    private static final Pattern DRIVE = Pattern.compile("[A-Za-z]:.*");
    /// What Windows takes for a device, with any ending.
    private static final Pattern DEVICE =
            Pattern.compile("(?i)(con|prn|aux|nul|conin\\$|conout\\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\\s*(\\..*)?");
    /// Ends of lines, and marks that change the order in which a person reads.
    private static final Pattern MISLEADING =
            Pattern.compile("[\\p{Cntrl}\u0080-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]");
    private static final Set<String> JUNK_NAMES = Set.of("thumbs.db", "desktop.ini", "__macosx");

    /// Why a name cannot be used; empty if it can.
    static Optional<String> objection(String raw) {
        if (raw.isEmpty()) return Optional.of("has no name");
        if (MISLEADING.matcher(raw).find()) return Optional.of("has control characters in its name");
        if (raw.codePoints().anyMatch(c -> Character.getType(c) == Character.SURROGATE)) {
            return Optional.of("has characters in its name that are none");
        }
        if (raw.indexOf('\\') >= 0) return Optional.of("has a backslash in its name");
        if (raw.startsWith("/") || DRIVE.matcher(raw).matches()) return Optional.of("has an absolute path");
        String name = withoutFinalSlash(raw);
        String[] parts = name.split("/", -1);
        for (String part : parts) {
            if (part.equals("..")) return Optional.of("leads out of the bundle with ..");
            if (part.isEmpty() || part.equals(".")) return Optional.of("has an empty part in its path");
            if (part.indexOf(':') >= 0) return Optional.of("has a colon in its name");
            if (part.endsWith(".") || part.endsWith(" ")) {
                return Optional.of("has a name that ends with a dot or a space, which not every system keeps");
            }
            if (DEVICE.matcher(part).matches()) return Optional.of("has the name of a device of some system");
            if (composed(part).getBytes(StandardCharsets.UTF_8).length > MOST_PART_BYTES) {
                return Optional.of("has a name that is too long");
            }
        }
        boolean deep = parts.length > MOST_PARTS || name.getBytes(StandardCharsets.UTF_8).length > MOST_BYTES;
        return deep ? Optional.of("has a path that is too long") : Optional.empty();
    }

    /// @param raw a name without [#objection]
    static EntryName of(String raw) {
        return new EntryName(composed(withoutFinalSlash(raw)));
    }

    /// Left by operating systems and editors, of no use to anybody: hidden names, `__MACOSX`, `Thumbs.db`.
    boolean isJunk() {
        for (String part : parts()) {
            if (part.startsWith(".") || JUNK_NAMES.contains(part.toLowerCase(Locale.ROOT))) return true;
        }
        return false;
    }

    List<String> parts() {
        return List.of(path.split("/"));
    }

    /// Equal for names that some file system would take for the same.
    String folded() {
        String visible = path.replaceAll("\\p{Cf}", "");
        return Normalizer.normalize(visible.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT), Normalizer.Form.NFKC);
    }

    /// A raw name fit for a message: short, without control characters.
    static String shown(String raw) {
        String visible = MISLEADING.matcher(raw).replaceAll("?");
        return visible.length() <= 120 ? visible : visible.substring(0, 117) + "...";
    }

    private static String withoutFinalSlash(String raw) {
        return raw.endsWith("/") ? raw.substring(0, raw.length() - 1) : raw;
    }

    private static String composed(String name) {
        return Normalizer.normalize(name, Normalizer.Form.NFC);
    }
}
