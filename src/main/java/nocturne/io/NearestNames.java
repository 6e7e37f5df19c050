package nocturne.io;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/// "Did you mean": the known names that differ least from a wanted one, by edit distance (Levenshtein 1966).
public final class NearestNames {
    /// Comparing is quadratic in the name's length; a hostile file must not make an error message cost minutes.
    private static final int MOST_COMPARED = 20_000;

    private static final int LONGEST_COMPARED = 300;

    private NearestNames() {}

    /// At most `count` names, nearest first; equally near ones in the given order.
    public static List<String> of(String wanted, Collection<String> known, int count) {
        record Near(String name, int distance) {}
        List<Near> near = new ArrayList<>();
        for (String name : known) {
            if (near.size() == MOST_COMPARED) break;
            if (name.length() <= LONGEST_COMPARED) near.add(new Near(name, distance(wanted, name)));
        }
        near.sort(Comparator.comparingInt(Near::distance));
        return near.stream().limit(count).map(Near::name).toList();
    }

    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) row[j] = j;
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
