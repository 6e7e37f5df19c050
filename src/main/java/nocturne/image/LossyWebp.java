package nocturne.image;

import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import nocturne.image.vp8.BrokenVp8;
import nocturne.image.vp8.Vp8;

/// The parts of a WebP whose colours are stored as a VP8 frame: our own decoder for the colours, see its package.
///
/// Source: RFC 9649, "WebP Image Format", section 2.
final class LossyWebp {
    private static final int FRAME = 0x56503820;
    private static final int ALPHA = 0x414c5048;
    private static final int PROFILE = 0x49434350;

    private LossyWebp() {}

    /// Whether this WebP, whose chunk structure has been checked, is lossy.
    static boolean isLossy(byte[] webp) {
        return chunk(webp, FRAME).isPresent();
    }

    static boolean hasAlpha(byte[] webp) {
        return chunk(webp, ALPHA).isPresent();
    }

    /// @param alphas a raster whose last band is the transparency, as the library decodes it; empty for none
    static BufferedImage decode(byte[] webp, int width, int height, Optional<Raster> alphas) throws UnreadablePicture {
        byte[] rgb;
        try {
            Chunk frame = chunk(webp, FRAME).orElseThrow();
            rgb = Vp8.decode(webp, frame.from(), frame.to(), width, height);
        } catch (BrokenVp8 e) {
            throw new UnreadablePicture("the WebP is damaged or incomplete (%s)".formatted(e.getMessage()), e);
        }
        int bands = alphas.isPresent() ? 4 : 3;
        byte[] samples = alphas.isPresent() ? withAlpha(rgb, width, alphas.get()) : rgb;
        int[] order = {0, 1, 2, 3};
        WritableRaster raster = Raster.createInterleavedRaster(new DataBufferByte(samples, samples.length),
                width, height, bands * width, bands, Arrays.copyOf(order, bands), null);
        ComponentColorModel colours = new ComponentColorModel(ColorSpace.getInstance(ColorSpace.CS_sRGB), bands == 4,
                false, bands == 4 ? Transparency.TRANSLUCENT : Transparency.OPAQUE, DataBuffer.TYPE_BYTE);
        return new BufferedImage(colours, raster, false, null);
    }

    /// The colour profile of the file, if it has one for RGB.
    static Optional<ICC_Profile> profile(byte[] webp) {
        Optional<Chunk> chunk = chunk(webp, PROFILE);
        if (chunk.isEmpty()) return Optional.empty();
        try {
            ICC_Profile profile =
                    ICC_Profile.getInstance(Arrays.copyOfRange(webp, chunk.get().from(), chunk.get().to()));
            return profile.getColorSpaceType() == ColorSpace.TYPE_RGB ? Optional.of(profile) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static byte[] withAlpha(byte[] rgb, int width, Raster alphas) {
        int height = alphas.getHeight();
        byte[] samples = new byte[4 * width * height];
        int[] row = new int[width];
        for (int y = 0; y < height; y++) {
            alphas.getSamples(alphas.getMinX(), alphas.getMinY() + y, width, 1, alphas.getNumBands() - 1, row);
            for (int x = 0; x < width; x++) {
                int pixel = y * width + x;
                System.arraycopy(rgb, 3 * pixel, samples, 4 * pixel, 3);
                samples[4 * pixel + 3] = (byte) row[x];
            }
        }
        return samples;
    }

    private record Chunk(int from, int to) {}

    private static Optional<Chunk> chunk(byte[] webp, int type) {
        ByteBuffer in = ByteBuffer.wrap(webp).order(ByteOrder.LITTLE_ENDIAN);
        long end = 8 + Integer.toUnsignedLong(in.getInt(4));
        for (long at = 12; at + 8 <= end; ) {
            int start = (int) at + 8;
            int length = in.getInt((int) at + 4);
            if (Integer.reverseBytes(in.getInt((int) at)) == type) return Optional.of(new Chunk(start, start + length));
            at = start + (long) length + (length & 1);
        }
        return Optional.empty();
    }
}
