package nocturne.recipe;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// Collects what a reader has to say about one recipe, so that everything is told at once.
final class Findings {
    static final String CODE = "RECIPE_INVALID";

    private record Found(Position at, Problem problem) {}

    private record Noted(Position at, Notice notice) {}

    /// Behind everything that was written.
    private static final Position END = new Position(Integer.MAX_VALUE, 1);

    private final String file;
    private final List<Found> problems = new ArrayList<>();
    private final List<Noted> notices = new ArrayList<>();

    /// @param file the name the user knows the recipe by
    Findings(String file) {
        this.file = Shown.key(file);
    }

    /// @param path the key, such as `network.linear`; empty when it is about the text as such
    void refuse(Position at, String path, String what) {
        problems.add(new Found(at, new Problem(CODE, where(at, path), what)));
    }

    void refuse(Section section, Key<?> key, String what) {
        refuse(section.position(key), section.pathOf(key), what);
    }

    /// A notice about a key, with its line if it was written.
    void note(String code, Section section, Key<?> key, String text) {
        if (section.isWritten(key)) note(code, section.position(key), section.pathOf(key), text);
        else note(code, section.pathOf(key), text);
    }

    void note(String code, Position at, String path, String text) {
        note(code, Severity.NOTICE, Optional.of(at), path, text);
    }

    /// A notice about a value that nobody wrote.
    void note(String code, String path, String text) {
        note(code, Severity.NOTICE, Optional.empty(), path, text);
    }

    /// @param at where it was written; empty if nobody wrote it
    void note(String code, Severity severity, Optional<Position> at, String path, String text) {
        String where = at.map(place -> where(place, path)).orElse(path);
        notices.add(new Noted(at.orElse(END), new Notice(code, severity, where, text)));
    }

    /// To be thrown where reading cannot go on.
    UserMistake fatal(Position at, String path, String what) {
        refuse(at, path, what);
        return mistake();
    }

    boolean hasProblems() {
        return !problems.isEmpty();
    }

    void throwIfAny() {
        if (!problems.isEmpty()) throw mistake();
    }

    List<Notice> notices() {
        return notices.stream().sorted(Comparator.comparing(Noted::at)).map(Noted::notice).distinct().toList();
    }

    private UserMistake mistake() {
        List<Problem> ordered = problems.stream().sorted(Comparator.comparing(Found::at)).map(Found::problem)
                .distinct().toList();
        String count = ordered.size() == 1 ? "1 problem" : ordered.size() + " problems";
        return new UserMistake("%s has %s; no GPU time was spent.".formatted(file, count), ordered);
    }

    private static String where(Position at, String path) {
        return path.isEmpty() ? "line " + at.line() : "line %d  %s".formatted(at.line(), path);
    }
}
