package nocturne.job;

import com.fasterxml.jackson.annotation.JsonValue;
import java.text.Normalizer;
import java.util.Locale;
import java.util.regex.Pattern;

/// The name of a job: safe as a file name, a Kafka key and a word on the command line.
///
/// @param text 1 to 64 of `a-z`, `0-9`, `-`; begins and ends with a letter or digit
public record JobId(@JsonValue String text) implements Comparable<JobId> {
    private static final Pattern SHAPE = Pattern.compile("[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?");
    private static final int LONGEST_NAME = 40;
    private static final int HASH_DIGITS = 8;

    public JobId {
        if (!isValid(text)) throw new IllegalArgumentException("not a job id: " + text);
    }

    /// Whether a text from outside can be an id.
    public static boolean isValid(String text) {
        return SHAPE.matcher(text).matches();
    }

    /// The id that the same content under the same name always gets.
    ///
    /// @param name        as the user wrote it; any text
    /// @param contentHash SHA-256 in hex
    public static JobId of(String name, String contentHash) {
        return new JobId(slug(name) + "-" + contentHash.substring(0, HASH_DIGITS));
    }

    /// The id of the `run`-th run of the same content, from 2.
    public JobId again(int run) {
        String suffix = "-" + run;
        String base = text.substring(0, Math.min(text.length(), 64 - suffix.length())).replaceFirst("-+$", "");
        return new JobId(base + suffix);
    }

    private static String slug(String name) {
        String plain = Normalizer.normalize(name, Normalizer.Form.NFKD).toLowerCase(Locale.ROOT)
                .replaceAll("\\p{M}+", "").replaceAll("[^a-z0-9]+", "-").replaceAll("^-+|-+$", "");
        String cut = plain.substring(0, Math.min(plain.length(), LONGEST_NAME)).replaceFirst("-+$", "");
        return cut.isEmpty() ? "job" : cut;
    }

    @Override
    public int compareTo(JobId other) {
        return text.compareTo(other.text);
    }

    @Override
    public String toString() {
        return text;
    }
}
