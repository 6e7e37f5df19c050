package nocturne.image.vp8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Scanner;

/// The format's constants. The long ones are read from `tables.txt`.
final class Tables {
    /// Predictions of a whole block, 11.2; [#SPLIT] predicts each of its 16 sub-blocks on its own.
    static final int DC = 0;
    static final int VERTICAL = 1;
    static final int HORIZONTAL = 2;
    static final int TRUE_MOTION = 3;
    static final int SPLIT = 4;

    /// Trees of 8.1 and 11.2: a leaf is minus its value, and the leaf 0 stands where no branch can lead.
    static final int[] LUMA_TREE = {-SPLIT, 2, 4, 6, -DC, -VERTICAL, -HORIZONTAL, -TRUE_MOTION};
    static final int[] LUMA_PROBABILITIES = {145, 156, 163, 128};
    static final int[] CHROMA_TREE = {-DC, 2, -VERTICAL, 4, -HORIZONTAL, -TRUE_MOTION};
    static final int[] CHROMA_PROBABILITIES = {142, 114, 183};
    static final int[] SEGMENT_TREE = {2, 4, 0, -1, -2, -3};

    /// Predictions of a sub-block, in the order of 11.2.
    static final int B_DC = 0;
    static final int B_TRUE_MOTION = 1;
    static final int B_VERTICAL = 2;
    static final int B_HORIZONTAL = 3;
    static final int B_LEFT_DOWN = 4;
    static final int B_RIGHT_DOWN = 5;
    static final int B_VERTICAL_RIGHT = 6;
    static final int B_VERTICAL_LEFT = 7;
    static final int B_HORIZONTAL_DOWN = 8;
    static final int B_HORIZONTAL_UP = 9;
    static final int[] SUB_BLOCK_TREE = {
        -B_DC, 2, -B_TRUE_MOTION, 4, -B_VERTICAL, 6, 8, 12, -B_HORIZONTAL, 10, -B_RIGHT_DOWN, -B_VERTICAL_RIGHT,
        -B_LEFT_DOWN, 14, -B_VERTICAL_LEFT, 16, -B_HORIZONTAL_DOWN, -B_HORIZONTAL_UP
    };

    /// 13.3: the band of each coefficient's position; the last entry is never looked at, only fetched.
    static final int[] BANDS = {0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0};
    static final int[] ZIGZAG = {0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15};

    /// 13.2: probabilities of the extra bits of the four largest categories.
    static final int[][] EXTRA_BITS = {
        {173, 148, 140}, {176, 155, 140, 135}, {180, 157, 141, 134, 130},
        {254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129}
    };

    static final int TOKEN_PROBABILITIES = 11;
    static final int CONTEXTS = 3;
    static final int BAND_COUNT = 8;

    private static final Map<String, int[]> LONG = read();

    /// `[above][left][9]`
    static final int[] MODES = table("modes", 10 * 10 * 9);
    /// `[block type][band][context][11]`
    static final int[] TOKENS = table("tokens", 4 * BAND_COUNT * CONTEXTS * TOKEN_PROBABILITIES);
    static final int[] UPDATES = table("updates", TOKENS.length);
    static final int[] DC_STEPS = table("dc", 128);
    static final int[] AC_STEPS = table("ac", 128);

    private Tables() {}

    private static int[] table(String name, int length) {
        int[] table = LONG.getOrDefault(name, new int[0]);
        if (table.length != length) throw new IllegalStateException("table " + name + " has " + table.length);
        return table;
    }

    private static Map<String, int[]> read() {
        Map<String, int[]> tables = new HashMap<>();
        try (InputStream in = Tables.class.getResourceAsStream("tables.txt")) {
            if (in == null) throw new IllegalStateException("tables.txt is not on the class path");
            String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII).replaceAll("#.*", "");
            int[] numbers = new int[TOKEN_PROBABILITIES * 100];
            Scanner words = new Scanner(text);
            while (words.hasNext()) {
                String name = words.next();
                int count = 0;
                while (words.hasNextInt()) numbers[count++] = words.nextInt();
                tables.put(name, Arrays.copyOf(numbers, count));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return tables;
    }
}
