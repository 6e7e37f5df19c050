package nocturne.image;

import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// The colour profile of a PNG, which ImageIO does not read: screenshots of a Mac carry that of its screen.
///
/// Source: PNG specification (third edition), section 11.3.2.3, `iCCP`.
final class PngProfile {
    private static final int ICCP = 0x69434350;
    private static final int IDAT = 0x49444154;
    private static final int LONGEST_NAME = 79;

    /// Profiles of screens have a few KB, those of printers a few MB; a chunk that inflates to more is a bomb.
    private static final int MOST_BYTES = 4 << 20;

    private PngProfile() {}

    /// The RGB profile in this PNG, whose chunk structure has been checked; empty where there is none to use.
    static Optional<ICC_Profile> of(byte[] png) {
        ByteBuffer in = ByteBuffer.wrap(png);
        for (int at = 8; in.getInt(at + 4) != IDAT; at += 12 + in.getInt(at)) {
            if (in.getInt(at + 4) == ICCP) return inflate(png, at + 8, at + 8 + in.getInt(at));
        }
        return Optional.empty();
    }

    private static Optional<ICC_Profile> inflate(byte[] png, int from, int to) {
        int name = from;
        while (name < to && png[name] != 0 && name - from <= LONGEST_NAME) name++;
        int start = name + 2;
        if (start >= to || png[name] != 0) return Optional.empty();
        byte[] profile = new byte[MOST_BYTES];
        try (Inflater inflater = new Inflater()) {
            inflater.setInput(png, start, to - start);
            int length = 0;
            while (!inflater.finished() && length < MOST_BYTES) {
                int more = inflater.inflate(profile, length, MOST_BYTES - length);
                if (more == 0) break;
                length += more;
            }
            if (!inflater.finished()) return Optional.empty();
            ICC_Profile parsed = ICC_Profile.getInstance(Arrays.copyOf(profile, length));
            return parsed.getColorSpaceType() == ColorSpace.TYPE_RGB ? Optional.of(parsed) : Optional.empty();
        } catch (DataFormatException | IllegalArgumentException e) {
            // A picture without its profile is still a picture; browsers do the same.
            return Optional.empty();
        }
    }
}
