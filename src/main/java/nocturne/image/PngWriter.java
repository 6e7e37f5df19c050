package nocturne.image;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.SequencedMap;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/// Writes a [Picture] as PNG, with texts that viewers show, such as the prompt it was drawn from.
///
/// The bytes depend on the picture and the texts alone: no time stamp, no software name. (Another build of zlib
/// may pack the same pixels differently; the pixels never differ.)
///
/// Source: "Portable Network Graphics (PNG) Specification (Third Edition)", W3C; chunk names below are its own.
public final class PngWriter {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final byte[] NO_DATA = {};
    private static final int CHANNELS = 3;
    private static final int MAX_KEYWORD = 79;

    private PngWriter() {}

    /// @param picture the pixels, written as 8-bit sRGB without alpha
    /// @param texts   keyword → text, in the order to be written. A keyword is 1 to 79 printable ASCII characters
    ///                without outer or double spaces. In a text, a NUL (which PNG cannot hold) and half a surrogate
    ///                pair become U+FFFD; everything else survives, in any script
    /// @return a complete PNG file
    /// @throws IllegalArgumentException if a keyword is not one
    public static byte[] png(Picture picture, SequencedMap<String, String> texts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(picture.rgb().length / 2 + 1024);
        try {
            write(picture, texts, bytes);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }

    /// As [#png], to a stream, which stays open.
    public static void write(Picture picture, SequencedMap<String, String> texts, OutputStream out)
            throws IOException {
        texts.keySet().forEach(PngWriter::requireKeyword);
        out.write(SIGNATURE);
        chunk(out, "IHDR", header(picture));
        chunk(out, "sRGB", new byte[] {0});             // 0: perceptual rendering intent
        for (Map.Entry<String, String> text : texts.entrySet()) text(out, text.getKey(), text.getValue());
        chunk(out, "IDAT", deflate(filtered(picture)));
        chunk(out, "IEND", NO_DATA);
    }

    private static byte[] header(Picture picture) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream header = new DataOutputStream(bytes);
        header.writeInt(picture.width());
        header.writeInt(picture.height());
        // 8 bits a channel, colour type 2 (RGB), deflate, adaptive filters, not interlaced.
        header.write(new byte[] {8, 2, 0, 0, 0});
        return bytes.toByteArray();
    }

    /// Latin-1 text goes into the older tEXt, which every viewer reads; all else into iTXt, which is UTF-8.
    private static void text(OutputStream out, String keyword, String text) throws IOException {
        String safe = withoutUnwritable(text);
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        data.write(keyword.getBytes(StandardCharsets.US_ASCII));
        data.write(0);
        if (safe.chars().allMatch(PngWriter::belongsInTextChunk)) {
            data.write(safe.getBytes(StandardCharsets.ISO_8859_1));
            chunk(out, "tEXt", data.toByteArray());
        } else {
            data.write(new byte[] {0, 0, 0, 0});        // not compressed, method 0, no language, no translation
            data.write(safe.getBytes(StandardCharsets.UTF_8));
            chunk(out, "iTXt", data.toByteArray());
        }
    }

    private static boolean belongsInTextChunk(int character) {
        return character == '\n' || (character >= 0x20 && character <= 0x7e)
                || (character >= 0xa1 && character <= 0xff);
    }

    private static String withoutUnwritable(String text) {
        return text.codePoints()
                .map(point -> point == 0 || (point >= 0xd800 && point <= 0xdfff) ? 0xfffd : point)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    private static void requireKeyword(String keyword) {
        boolean fits = !keyword.isEmpty() && keyword.length() <= MAX_KEYWORD
                && keyword.chars().allMatch(c -> c >= 0x20 && c <= 0x7e)
                && keyword.equals(keyword.strip()) && !keyword.contains("  ");
        if (!fits) throw new IllegalArgumentException("not a PNG keyword: \"" + keyword + "\"");
    }

    /// Every row behind the number of the filter that leaves the smallest differences, `[height, 1 + 3 * width]`.
    ///
    /// Taking the filter with the least sum of absolute values is the heuristic the PNG specification recommends.
    private static byte[] filtered(Picture picture) {
        int rowBytes = CHANNELS * picture.width();
        byte[] all = new byte[Math.multiplyExact(picture.height(), rowBytes + 1)];
        byte[] best = new byte[rowBytes];
        byte[] candidate = new byte[rowBytes];
        for (int y = 0; y < picture.height(); y++) {
            long least = Long.MAX_VALUE;
            int chosen = 0;
            for (int filter = 0; filter < 5; filter++) {
                long sum = filterRow(picture.rgb(), y, rowBytes, filter, candidate);
                if (sum < least) {
                    least = sum;
                    chosen = filter;
                    byte[] spare = best;
                    best = candidate;
                    candidate = spare;
                }
            }
            all[y * (rowBytes + 1)] = (byte) chosen;
            System.arraycopy(best, 0, all, y * (rowBytes + 1) + 1, rowBytes);
        }
        return all;
    }

    private static long filterRow(byte[] rgb, int y, int rowBytes, int filter, byte[] into) {
        long sum = 0;
        int row = y * rowBytes;
        for (int i = 0; i < rowBytes; i++) {
            int left = i < CHANNELS ? 0 : rgb[row + i - CHANNELS] & 0xff;
            int above = y == 0 ? 0 : rgb[row - rowBytes + i] & 0xff;
            int aboveLeft = y == 0 || i < CHANNELS ? 0 : rgb[row - rowBytes + i - CHANNELS] & 0xff;
            int guess = switch (filter) {
                case 0 -> 0;
                case 1 -> left;
                case 2 -> above;
                case 3 -> (left + above) / 2;
                default -> paeth(left, above, aboveLeft);
            };
            into[i] = (byte) (rgb[row + i] - guess);
            sum += Math.abs(into[i]);
        }
        return sum;
    }

    /// The neighbour nearest to `left + above - aboveLeft`; ties in this order. PNG specification, section 9.4.
    private static int paeth(int left, int above, int aboveLeft) {
        int estimate = left + above - aboveLeft;
        int toLeft = Math.abs(estimate - left);
        int toAbove = Math.abs(estimate - above);
        int toAboveLeft = Math.abs(estimate - aboveLeft);
        if (toLeft <= toAbove && toLeft <= toAboveLeft) return left;
        return toAbove <= toAboveLeft ? above : aboveLeft;
    }

    private static byte[] deflate(byte[] bytes) {
        try (Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION)) {
            deflater.setInput(bytes);
            deflater.finish();
            ByteArrayOutputStream packed = new ByteArrayOutputStream(bytes.length / 2 + 64);
            byte[] buffer = new byte[1 << 16];
            while (!deflater.finished()) packed.write(buffer, 0, deflater.deflate(buffer));
            return packed.toByteArray();
        }
    }

    private static void chunk(OutputStream out, String type, byte[] data) throws IOException {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 crc = new CRC32();
        crc.update(name);
        crc.update(data);
        DataOutputStream to = new DataOutputStream(out);
        to.writeInt(data.length);
        to.write(name);
        to.write(data);
        to.writeInt((int) crc.getValue());
        to.flush();
    }
}
