package nocturne.recipe;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/// Finds the name someone probably meant.
public final class NearestName {
    private static final int LONGEST = 60;

    private NearestName() {}

    /// The candidate with the fewest typing errors; empty when more than a third of the letters would have to change.
    public static Optional<String> of(String written, Collection<String> candidates) {
        if (written.length() > LONGEST) return Optional.empty();
        String best = null;
        int fewest = Integer.MAX_VALUE;
        for (String candidate : candidates) {
            if (candidate.isEmpty()) continue;
            int distance = distance(bare(written), bare(candidate));
            if (distance < fewest && distance <= Math.max(1, Math.min(written.length(), candidate.length()) / 3)) {
                best = candidate;
                fewest = distance;
            }
        }
        return Optional.ofNullable(best);
    }

    private static String bare(String name) {
        return name.toLowerCase(Locale.ROOT).replace("-", "_").replace(" ", "_");
    }

    /// Insertions, deletions, replacements and swaps of neighbours, each counted once (optimal string alignment).
    static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) d[i][0] = i;
        for (int j = 0; j <= b.length(); j++) d[0][j] = j;
        for (int i = 1; i <= a.length(); i++) {
            for (int j = 1; j <= b.length(); j++) {
                int replace = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replace, 1 + Math.min(d[i - 1][j], d[i][j - 1]));
                boolean swapped = i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2)
                        && a.charAt(i - 2) == b.charAt(j - 1);
                if (swapped) d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
        return d[a.length()][b.length()];
    }
}
