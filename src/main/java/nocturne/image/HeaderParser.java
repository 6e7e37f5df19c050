package nocturne.image;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32;
import nocturne.image.PictureHeader.Format;

/// Reads sizes and orientation of PNG, JPEG and WebP from their outer structure, and refuses files whose structure is
/// broken off or contradicts itself. No pixel is decoded and nothing is allocated that a number in the file asked for.
///
/// Decoders are lenient where a training set must not be: the half of a picture that was cut off comes back grey or
/// black, without an exception. So completeness is checked here.
final class HeaderParser {
    private static final long PNG_SIGNATURE = 0x89504e470d0a1a0aL;
    private static final int PNG_IHDR = 0x49484452;
    private static final int PNG_PLTE = 0x504c5445;
    private static final int PNG_IDAT = 0x49444154;
    private static final int PNG_IEND = 0x49454e44;
    private static final int PNG_EXIF = 0x65584966;
    private static final int PNG_PALETTE_COLOUR = 3;

    /// The start marker and the first byte of the next one.
    private static final int JPEG_START = 0xffd8ff;

    private static final int RIFF = 0x52494646;
    private static final int WEBP = 0x57454250;
    private static final int VP8_LOSSY = 0x56503820;
    private static final int VP8_LOSSLESS = 0x5650384c;
    private static final int VP8_EXTENDED = 0x56503858;
    private static final int WEBP_EXIF = 0x45584946;
    private static final int WEBP_ANIMATION_FLAG = 0x02;

    /// A progressive JPEG has about ten scans; each is a pass over the whole picture, so thousands are an attack.
    private static final int MOST_JPEG_SCANS = 200;

    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private HeaderParser() {}

    static PictureHeader parse(byte[] file) throws UnreadablePicture {
        ByteBuffer in = ByteBuffer.wrap(file);
        if (file.length == 0) throw new UnreadablePicture("the file is empty");
        if (file.length >= 8 && in.getLong(0) == PNG_SIGNATURE) return png(in);
        if (file.length >= 4 && in.getInt(0) >>> 8 == JPEG_START) return jpeg(in);
        if (file.length >= 12 && in.getInt(0) == RIFF && in.getInt(8) == WEBP) return webp(in);
        throw new UnreadablePicture("its content is neither PNG, JPEG nor WebP; save it as one of these");
    }

    private static PictureHeader png(ByteBuffer in) throws UnreadablePicture {
        int width = 0;
        int height = 0;
        boolean palette = false;
        boolean needsPalette = false;
        boolean data = false;
        Orientation orientation = Orientation.UPRIGHT;
        CRC32 crc = new CRC32();
        for (int at = 8; ; ) {
            if (at + 12 > in.limit()) throw endsEarly(in);
            int length = in.getInt(at);
            int type = in.getInt(at + 4);
            if (length < 0 || (long) at + 12 + length > in.limit()) throw endsEarly(in);
            crc.reset();
            crc.update(in.array(), at + 4, length + 4);
            boolean sound = (int) crc.getValue() == in.getInt(at + 8 + length);
            // Bit 5 of the first letter: a decoder may do without this chunk, so its damage harms no pixel.
            boolean critical = (type >>> 24 & 0x20) == 0;
            if (critical && !sound) throw new UnreadablePicture("the PNG is damaged (a checksum is wrong)");
            if ((at == 8) != (type == PNG_IHDR)) throw new UnreadablePicture("the PNG has no header where it belongs");
            if (type == PNG_IHDR) {
                if (length != 13) throw new UnreadablePicture("the PNG header has the wrong length");
                width = in.getInt(at + 8);
                height = in.getInt(at + 12);
                needsPalette = in.get(at + 17) == PNG_PALETTE_COLOUR;
            } else if (type == PNG_PLTE) {
                palette = true;
            } else if (type == PNG_IDAT) {
                data = true;
            } else if (type == PNG_EXIF && sound) {
                orientation = ExifOrientation.of(Arrays.copyOfRange(in.array(), at + 8, at + 8 + length));
            } else if (type == PNG_IEND) {
                break;
            }
            at += 12 + length;
        }
        if (!data) throw new UnreadablePicture("the PNG holds no pixels");
        if (needsPalette && !palette) throw new UnreadablePicture("the PNG lacks its palette");
        return header(Format.PNG, width, height, orientation);
    }

    private static PictureHeader jpeg(ByteBuffer in) throws UnreadablePicture {
        int width = 0;
        int height = 0;
        int scans = 0;
        Orientation orientation = null;
        for (int at = 2; ; ) {
            at = nextMarker(in, at);
            int marker = in.get(at + 1) & 0xff;
            if (marker == 0xd9) break;
            at += 2;
            if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue;
            if (at + 2 > in.limit()) throw endsEarly(in);
            int length = Short.toUnsignedInt(in.getShort(at));
            if (length < 2 || at + length > in.limit()) throw endsEarly(in);
            boolean frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
            if (frame) {
                if (length < 8) throw new UnreadablePicture("the JPEG frame header is too short");
                if (width != 0) throw new UnreadablePicture("the JPEG has two frame headers");
                height = Short.toUnsignedInt(in.getShort(at + 3));
                width = Short.toUnsignedInt(in.getShort(at + 5));
                if (width == 0 || height == 0) throw new UnreadablePicture("the JPEG does not state its size");
            } else if (marker == 0xe1 && orientation == null) {
                byte[] block = Arrays.copyOfRange(in.array(), at + 2, at + length);
                // XMP uses the same marker; only the EXIF block counts.
                if (ExifOrientation.startsWithPrefix(block)) orientation = ExifOrientation.of(block);
            } else if (marker == 0xda && ++scans > MOST_JPEG_SCANS) {
                throw new UnreadablePicture("the JPEG has more than " + MOST_JPEG_SCANS + " scans");
            }
            at += length;
        }
        if (width == 0 || scans == 0) throw new UnreadablePicture("the JPEG holds no pixels");
        return header(Format.JPEG, width, height, orientation == null ? Orientation.UPRIGHT : orientation);
    }

    /// The next `0xff` that is followed by neither stuffing nor padding, from `at` on: entropy-coded data is skipped.
    private static int nextMarker(ByteBuffer in, int at) throws UnreadablePicture {
        byte[] file = in.array();
        for (; at + 1 < file.length; at++) {
            // Of the megabytes of data nearly all are passed over here, eight at a time.
            while (at + Long.BYTES + 1 < file.length && !holdsMark((long) LONG.get(file, at))) at += Long.BYTES;
            if (file[at] != (byte) 0xff) continue;
            int next = file[at + 1] & 0xff;
            if (next != 0x00 && next != 0xff) return at;
        }
        throw endsEarly(in);
    }

    /// Whether one of eight bytes is 0xff.
    private static boolean holdsMark(long bytes) {
        long inverted = ~bytes;
        return (inverted - 0x0101010101010101L & ~inverted & 0x8080808080808080L) != 0;
    }

    private static PictureHeader webp(ByteBuffer in) throws UnreadablePicture {
        in.order(ByteOrder.LITTLE_ENDIAN);
        long end = 8 + Integer.toUnsignedLong(in.getInt(4));
        if (end > in.limit()) throw endsEarly(in);
        int width = 0;
        int height = 0;
        int canvasWidth = 0;
        int canvasHeight = 0;
        Orientation orientation = Orientation.UPRIGHT;
        for (long next = 12; next + 8 <= end; ) {
            int at = (int) next;
            int type = Integer.reverseBytes(in.getInt(at));
            long length = Integer.toUnsignedLong(in.getInt(at + 4));
            if (at + 8 + length > end) throw endsEarly(in);
            if ((type == VP8_LOSSY || type == VP8_EXTENDED) && length < 10 || type == VP8_LOSSLESS && length < 5) {
                throw new UnreadablePicture("the WebP header is too short");
            }
            if (type == VP8_EXTENDED) {
                if ((in.get(at + 8) & WEBP_ANIMATION_FLAG) != 0) {
                    throw new UnreadablePicture("it is an animation; save the frame you want as a still picture");
                }
                canvasWidth = 1 + (in.getInt(at + 12) & 0xffffff);
                canvasHeight = 1 + (in.getInt(at + 14) >>> 8);
            } else if (type == VP8_LOSSY && width == 0) {
                width = in.getShort(at + 14) & 0x3fff;
                height = in.getShort(at + 16) & 0x3fff;
            } else if (type == VP8_LOSSLESS && width == 0) {
                int bits = in.getInt(at + 9);
                width = 1 + (bits & 0x3fff);
                height = 1 + (bits >>> 14 & 0x3fff);
            } else if (type == WEBP_EXIF) {
                orientation = ExifOrientation.of(Arrays.copyOfRange(in.array(), at + 8, (int) (at + 8 + length)));
            }
            next = at + 8 + length + (length & 1);
        }
        if (width == 0) throw new UnreadablePicture("the WebP holds no pixels");
        if (canvasWidth != 0 && (canvasWidth != width || canvasHeight != height)) {
            throw new UnreadablePicture("the WebP contradicts itself about its size");
        }
        return header(Format.WEBP, width, height, orientation);
    }

    private static PictureHeader header(Format format, int width, int height, Orientation orientation)
            throws UnreadablePicture {
        if (width < 1 || height < 1) throw new UnreadablePicture("it claims to be %d x %d".formatted(width, height));
        return new PictureHeader(format, width, height, orientation);
    }

    private static UnreadablePicture endsEarly(ByteBuffer in) {
        return new UnreadablePicture("the file ends too early, after %,d bytes (an incomplete copy?)"
                .formatted(in.limit()));
    }
}
