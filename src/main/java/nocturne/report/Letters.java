package nocturne.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;

/// Our own small letters, 5 dots wide and 9 high (7 above the base line, 2 below), drawn in `letters.txt`.
///
/// Why not the machine's fonts: a server without any makes Java's text drawing throw, and two machines never have
/// the same, so the same run would give two different pictures. Accents are dropped, typographic marks become
/// their ASCII kin, and what is still missing (Chinese, emoji) shows as a box; the page beside it has the full text.
final class Letters {
    /// Dots above the base line, the height of a capital.
    static final int CAPITAL = 7;
    /// Dots from the top of a capital to the bottom of a `g`.
    static final int HEIGHT = 9;

    private static final int CELL = 5;
    private static final int SPACE = 3;
    private static final int FIRST = ' ';
    private static final int MISSING = 127;
    private static final int BAND = 16;
    private static final boolean[][][] DOTS = read();      // [96 characters, 9 rows, up to 5 columns]

    private Letters() {}

    /// What can be drawn of `text`: one character from space to 126 for each of its own, or 127 where there is none.
    static String drawable(String text) {
        StringBuilder plain = new StringBuilder();
        Normalizer.normalize(text, Normalizer.Form.NFD).codePoints()
                .filter(point -> Character.getType(point) != Character.NON_SPACING_MARK
                        && Character.getType(point) != Character.FORMAT)
                .forEach(point -> plain.append(kin(point)));
        return plain.toString();
    }

    private static String kin(int point) {
        if (point >= FIRST && point < MISSING) return Character.toString(point);
        if (Character.isWhitespace(point) || Character.isSpaceChar(point)) return " ";
        return switch (point) {
            case '‘', '’', '‚', '′' -> "'";
            case '“', '”', '„', '«', '»' -> "\"";
            case '–', '—', '‐', '‑', '−' -> "-";
            case '…' -> "...";
            case '×' -> "x";
            case '·', '•' -> ".";
            case 'ß' -> "ss";
            case 'Æ' -> "AE";
            case 'æ' -> "ae";
            case 'Ø' -> "O";
            case 'ø' -> "o";
            case 'Ł' -> "L";
            case 'ł' -> "l";
            default -> Character.toString(MISSING);
        };
    }

    /// Dots from the left edge of the first letter to the right edge of the last one. `text` is drawable.
    static int width(String text) {
        int width = 0;
        for (int i = 0; i < text.length(); i++) width += advance(text.charAt(i));
        return Math.max(0, width - 1);
    }

    /// Dots from one letter's left edge to the next one's: its ink and one dot of air.
    static int advance(char letter) {
        return letter == ' ' ? SPACE : dots(letter)[0].length + 1;
    }

    /// `[9, width]`, true where there is ink.
    static boolean[][] dots(char letter) {
        return DOTS[letter >= FIRST && letter <= MISSING ? letter - FIRST : MISSING - FIRST];
    }

    /// `text` if it fits into `dots`, else as much of its beginning as fits with "..." behind it.
    static String shortened(String text, int dots) {
        if (width(text) <= dots) return text;
        int end = text.length();
        while (end > 0 && width(text.substring(0, end).stripTrailing() + "...") > dots) end--;
        return end == 0 ? "" : text.substring(0, end).stripTrailing() + "...";
    }

    /// `text` broken at spaces into at most `lines` lines of at most `dots`; the last one is shortened.
    static List<String> wrapped(String text, int dots, int lines) {
        List<String> wrapped = new ArrayList<>();
        String rest = text.strip();
        while (!rest.isEmpty() && wrapped.size() < lines - 1 && width(rest) > dots) {
            int end = rest.length();
            while (end > 1 && width(rest.substring(0, end)) > dots) end--;
            int space = rest.charAt(end) == ' ' ? end : rest.lastIndexOf(' ', end);
            int cut = space > 0 ? space : end;
            wrapped.add(rest.substring(0, cut).stripTrailing());
            rest = rest.substring(cut).strip();
        }
        if (!rest.isEmpty() && lines > 0) wrapped.add(shortened(rest, dots));
        return wrapped;
    }

    private static boolean[][][] read() {
        List<String> rows = resource().lines().filter(line -> !line.startsWith(";")).toList();
        boolean[][][] letters = new boolean[MISSING - FIRST + 1][][];
        for (int letter = 0; letter < letters.length; letter++) {
            int column = letter % BAND * (CELL + 1);
            int row = letter / BAND * HEIGHT;
            List<String> cell = rows.subList(row, row + HEIGHT).stream()
                    .map(line -> line.substring(column, column + CELL)).toList();
            letters[letter] = trimmed(cell, Character.isDigit(FIRST + letter));
        }
        return letters;
    }

    /// Empty columns at the sides are cut off, except around digits, which stand in columns of numbers.
    private static boolean[][] trimmed(List<String> cell, boolean keepWidth) {
        int from = 0;
        int to = CELL;
        if (!keepWidth) {
            while (from < to && blank(cell, from)) from++;
            while (to > from && blank(cell, to - 1)) to--;
        }
        boolean[][] dots = new boolean[HEIGHT][to - from];
        for (int row = 0; row < HEIGHT; row++) {
            for (int column = from; column < to; column++) {
                dots[row][column - from] = cell.get(row).charAt(column) == '#';
            }
        }
        return dots;
    }

    private static boolean blank(List<String> cell, int column) {
        return cell.stream().allMatch(row -> row.charAt(column) != '#');
    }

    private static String resource() {
        try (InputStream in = Letters.class.getResourceAsStream("letters.txt")) {
            if (in == null) throw new IllegalStateException("letters.txt is missing from the program");
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("reading letters.txt", e);
        }
    }
}
