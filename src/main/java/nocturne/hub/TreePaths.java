package nocturne.hub;

import java.text.Normalizer;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/// Whether paths that a hub names may become files below a folder of ours.
///
/// A path that leads out is refused wherever it turns up, because no honest hub has one; those that another file
/// system could not keep apart matter only among the files that are fetched.
final class TreePaths {
    private static final int LONGEST = 500;
    private static final int MOST_FOLDERS = 10;
    private static final Pattern DRIVE = Pattern.compile("^[A-Za-z]:.*");

    private TreePaths() {}

    /// Whether it stays below the folder that it is meant from, on any system.
    static boolean isInside(String path) {
        if (path.isEmpty() || path.length() > LONGEST || path.contains("\\") || DRIVE.matcher(path).matches()) {
            return false;
        }
        if (path.codePoints().anyMatch(TreePaths::acts)) return false;
        String[] names = path.split("/", -1);
        if (names.length > MOST_FOLDERS) return false;
        for (String name : names) {
            if (name.isEmpty() || name.equals(".") || name.equals("..")) return false;
        }
        return true;
    }

    /// Control characters, halves of characters, marks that turn the order of reading round.
    private static boolean acts(int c) {
        int type = Character.getType(c);
        return type == Character.CONTROL || type == Character.SURROGATE || type == Character.FORMAT
                || type == Character.LINE_SEPARATOR || type == Character.PARAGRAPH_SEPARATOR;
    }

    /// @throws HubAnswerInvalid if two of them would be one file somewhere, or one would be a folder of another
    static void requireDistinct(List<HubFile> files) throws HubAnswerInvalid {
        Map<String, String> seen = new HashMap<>();
        for (HubFile file : files) {
            String other = seen.put(folded(file.path()), file.path());
            if (other != null) throw new HubAnswerInvalid("names " + file.path() + " and " + other + ", one file");
        }
        for (HubFile file : files) {
            String path = folded(file.path());
            for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
                String above = seen.get(path.substring(0, slash));
                if (above != null) throw new HubAnswerInvalid("names " + above + " both as file and as folder");
            }
        }
    }

    private static String folded(String path) {
        return Normalizer.normalize(path, Normalizer.Form.NFC).toLowerCase(Locale.ROOT);
    }
}
