package nocturne.image;

import java.awt.color.ColorSpace;
import java.awt.color.ICC_ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.ColorConvertOp;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.util.Optional;

/// Turns whatever a decoder hands out into 8-bit sRGB bytes.
///
/// `BufferedImage.getRGB` would be shorter and wrong: it takes grey values for linear light, so that a grey of 128
/// comes out as 188, and converts colour profiles pixel by pixel. So samples are read as they are stored; 16 bits
/// are scaled to 8 with rounding; RGB pictures with a profile other than sRGB are converted as a whole.
final class RasterToRgb {
    private RasterToRgb() {}

    /// @param background shows through where the picture is transparent, in proportion
    /// @param attached   the profile of the samples where the decoder did not find it
    static byte[] convert(BufferedImage image, Optional<ICC_Profile> attached, Background background)
            throws UnreadablePicture {
        ColorModel colours = image.getColorModel();
        if (colours instanceof IndexColorModel palette) return fromPalette(image.getRaster(), palette, background);
        int channels = colours.getNumColorComponents();
        if (channels != 1 && channels != 3) {
            throw new UnreadablePicture("%d colour channels; save it as RGB".formatted(channels));
        }
        return fromSamples(image, channels, attached, background);
    }

    private static byte[] fromPalette(Raster raster, IndexColorModel palette, Background background) {
        byte[] table = new byte[palette.getMapSize() * 3];
        for (int i = 0; i < palette.getMapSize(); i++) {
            int alpha = palette.getAlpha(i);
            table[i * 3] = over(palette.getRed(i), alpha, background.red());
            table[i * 3 + 1] = over(palette.getGreen(i), alpha, background.green());
            table[i * 3 + 2] = over(palette.getBlue(i), alpha, background.blue());
        }
        int width = raster.getWidth();
        byte[] rgb = new byte[3 * width * raster.getHeight()];
        int[] row = new int[width];
        for (int y = 0, to = 0; y < raster.getHeight(); y++) {
            raster.getSamples(raster.getMinX(), raster.getMinY() + y, width, 1, 0, row);
            // An index past the end of the palette is an error in the file; decoders show black.
            for (int index : row) {
                for (int c = 0; c < 3; c++) rgb[to++] = index * 3 < table.length ? table[index * 3 + c] : 0;
            }
        }
        return rgb;
    }

    private static byte[] fromSamples(
            BufferedImage image, int channels, Optional<ICC_Profile> attached, Background background) {
        ColorModel colours = image.getColorModel();
        Raster raster = image.getRaster();
        int width = raster.getWidth();
        int bands = raster.getNumBands();
        boolean transparent = colours.hasAlpha() && bands > channels;
        boolean premultiplied = transparent && colours.isAlphaPremultiplied();
        int largest = (1 << Math.min(16, colours.getComponentSize(0))) - 1;
        int[] ground = {background.red(), background.green(), background.blue()};
        Raster colour = channels == 3 ? toSrgb(raster, attached.or(() -> profile(colours))) : raster;

        byte[] rgb = new byte[3 * width * raster.getHeight()];
        int colourBands = colour.getNumBands();
        int[] row = new int[width * colourBands];
        int[] alphas = new int[width];
        for (int y = 0, to = 0; y < raster.getHeight(); y++) {
            colour.getPixels(colour.getMinX(), colour.getMinY() + y, width, 1, row);
            if (transparent) raster.getSamples(raster.getMinX(), raster.getMinY() + y, width, 1, channels, alphas);
            for (int x = 0; x < width; x++) {
                int alpha = transparent ? toByte(alphas[x], largest) : 255;
                for (int c = 0; c < 3; c++) {
                    int value = toByte(row[x * colourBands + (channels == 1 ? 0 : c)], largest);
                    rgb[to++] = premultiplied
                            ? (byte) Math.min(255, value + (ground[c] * (255 - alpha) + 127) / 255)
                            : over(value, alpha, ground[c]);
                }
            }
        }
        return rgb;
    }

    private static Optional<ICC_Profile> profile(ColorModel colours) {
        ColorSpace space = colours.getColorSpace();
        if (space.isCS_sRGB() || !(space instanceof ICC_ColorSpace icc)) return Optional.empty();
        return Optional.of(icc.getProfile());
    }

    /// The same samples, or their sRGB equivalents where the picture carries another RGB profile (phones: Display P3).
    private static Raster toSrgb(Raster raster, Optional<ICC_Profile> profile) {
        if (profile.isEmpty()) return raster;
        int[] colourBands = {0, 1, 2};
        Raster source = raster.createChild(raster.getMinX(), raster.getMinY(), raster.getWidth(), raster.getHeight(),
                raster.getMinX(), raster.getMinY(), colourBands);
        WritableRaster target = source.createCompatibleWritableRaster();
        ICC_Profile[] path = {profile.get(), ICC_Profile.getInstance(ColorSpace.CS_sRGB)};
        return new ColorConvertOp(path, null).filter(source, target);
    }

    private static int toByte(int value, int largest) {
        return largest == 255 ? value : (value * 255 + largest / 2) / largest;
    }

    private static byte over(int value, int alpha, int background) {
        return (byte) ((value * alpha + background * (255 - alpha) + 127) / 255);
    }
}
