package nocturne.service;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import nocturne.problem.Problem;

/// Brings what strangers wrote, and what was said about it, to a size and shape that can be shown anywhere.
final class Wording {
    static final int LONGEST_NAME = 200;
    static final int LONGEST_TEXT = 1_000;
    /// So many fit into an event with room to spare.
    static final int MOST_PROBLEMS = 100;
    /// Ends of lines, and marks that change the order in which a person reads.
    private static final Pattern MISLEADING =
            Pattern.compile("[\\p{Cntrl}\\p{Cs}\u0080-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]");

    private Wording() {}

    /// What a bundle is called, in one short line.
    static String name(String raw) {
        String shown = line(raw, LONGEST_NAME).strip();
        return shown.isEmpty() ? "unnamed" : shown;
    }

    /// One line without what could mislead.
    static String line(String raw, int longest) {
        // Cut before it is searched: a stranger's text may be very long.
        return MISLEADING.matcher(cut(raw, longest)).replaceAll("?");
    }

    /// The problems of a bundle, without the places where only we know it to lie.
    ///
    /// @param folder where the bundle was unpacked
    static List<Problem> problems(List<Problem> found, Path folder) {
        List<Problem> shown = new ArrayList<>();
        for (Problem problem : found.subList(0, Math.min(found.size(), MOST_PROBLEMS))) {
            shown.add(new Problem(problem.code(), text(problem.where(), folder), text(problem.what(), folder)));
        }
        int left = found.size() - shown.size();
        if (left > 0) shown.add(new Problem(found.getFirst().code(), "", "and %,d problems more".formatted(left)));
        return shown;
    }

    static String text(String words, Path folder) {
        String relative = words.replaceAll(Pattern.quote(folder.toString()) + "/(bundle-[0-9a-z]+/?)?", "");
        return cut(relative, LONGEST_TEXT);
    }

    private static String cut(String text, int longest) {
        if (text.length() <= longest) return text;
        int end = Character.isHighSurrogate(text.charAt(longest - 4)) ? longest - 4 : longest - 3;
        return text.substring(0, end) + "...";
    }
}
