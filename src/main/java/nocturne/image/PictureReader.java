package nocturne.image;

import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;
import java.util.Optional;
import javax.imageio.IIOException;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import nocturne.image.PictureHeader.Format;
import nocturne.image.jpeg.DoubtfulJpeg;
import nocturne.image.jpeg.ReducedJpeg;
import nocturne.problem.UserMistake;

/// Reads PNG, JPEG and WebP into upright 8-bit RGB.
///
/// The format is decided by content. Size limits are applied to the header before anything is decoded, EXIF
/// orientation is applied (ImageIO leaves it alone), transparency is laid over a chosen background, grey, palette and
/// 16-bit pictures become 8-bit RGB, CMYK JPEGs and other colour profiles become sRGB. A picture that is not whole
/// is refused rather than completed with grey. Safe for use by several threads.
public final class PictureReader {
    /// The picture cannot be used: missing, cut off, damaged, too large or of another kind.
    public static final String UNREADABLE = "PICTURE_UNREADABLE";

    static {
        // Decoding needs no screen; without this a Mac opens a window server connection and shows a dock icon.
        if (System.getProperty("java.awt.headless") == null) System.setProperty("java.awt.headless", "true");
        ImageIO.setUseCache(false);
    }

    private final PictureLimits limits;

    public PictureReader(PictureLimits limits) {
        this.limits = limits;
    }

    /// A reader with [PictureLimits#STANDARD].
    public static PictureReader standard() {
        return new PictureReader(PictureLimits.STANDARD);
    }

    /// All bytes of a picture file, so that one reading serves the hash, the header and the pixels.
    ///
    /// @throws UserMistake [#UNREADABLE] where the file is missing, closed to us, or larger than the limit
    public byte[] bytes(Path file) {
        try {
            if (Files.isDirectory(file)) throw new UnreadablePicture("it is a folder");
            long size = Files.size(file);
            if (size > limits.bytes()) {
                throw new UnreadablePicture(
                        "the file has %,d bytes; at most %,d are allowed".formatted(size, limits.bytes()));
            }
            return Files.readAllBytes(file);
        } catch (UnreadablePicture e) {
            throw unreadable(file.toString(), e);
        } catch (NoSuchFileException e) {
            throw unreadable(file.toString(), new UnreadablePicture("there is no such file", e));
        } catch (AccessDeniedException e) {
            throw unreadable(file.toString(), new UnreadablePicture("the file's permissions forbid reading it", e));
        } catch (IOException e) {
            throw unreadable(file.toString(), new UnreadablePicture("it cannot be read: " + e.getMessage(), e));
        }
    }

    /// Size, format and orientation, without decoding.
    ///
    /// @throws UserMistake [#UNREADABLE]
    public PictureHeader inspect(Path file) {
        return inspect(bytes(file), file.toString());
    }

    /// As [#inspect(Path)], from bytes at hand.
    ///
    /// @param name how the user knows the file; stands in the message
    public PictureHeader inspect(byte[] encoded, String name) {
        try {
            return header(encoded);
        } catch (UnreadablePicture e) {
            throw unreadable(name, e);
        }
    }

    /// Decodes the whole picture.
    ///
    /// @param background shows through where the picture is transparent
    /// @throws UserMistake [#UNREADABLE]
    public Picture read(Path file, Background background) {
        return decode(bytes(file), file.toString(), background);
    }

    /// As [#read(Path, Background)], from bytes at hand.
    ///
    /// @param name how the user knows the file; stands in the message
    public Picture decode(byte[] encoded, String name, Background background) {
        try {
            PictureHeader header = header(encoded);
            boolean lossyWebp = header.format() == Format.WEBP && LossyWebp.isLossy(encoded);
            BufferedImage image = lossyWebp ? lossyWebp(encoded, header) : pixels(encoded, header);
            Optional<ICC_Profile> attached = switch (header.format()) {
                case PNG -> PngProfile.of(encoded);
                case WEBP -> lossyWebp ? LossyWebp.profile(encoded) : Optional.empty();
                case JPEG -> Optional.empty();
            };
            byte[] rgb = RasterToRgb.convert(image, attached, background);
            return header.orientation().apply(new Picture(header.storedWidth(), header.storedHeight(), rgb));
        } catch (UnreadablePicture e) {
            throw unreadable(name, e);
        } catch (OutOfMemoryError e) {
            // One array for all pixels did not fit, and what was there is free again: nothing else is harmed.
            throw unreadable(name, new UnreadablePicture(
                    "decoding it needs more memory than this process may use (%,d MB); scale it down, or start Java"
                            .formatted(Runtime.getRuntime().maxMemory() >> 20) + " with a larger -Xmx", e));
        }
    }

    /// The whole picture at a size that can be looked at, and the certainty that it is whole. Decodes all of it.
    ///
    /// @param name       how the user knows the file; stands in the message
    /// @param background shows through where the picture is transparent
    /// @throws UserMistake [#UNREADABLE]
    public Glance glance(byte[] encoded, String name, Background background) {
        return new Glance(inspect(encoded, name), Glance.reduced(decode(encoded, name, background)));
    }

    /// As [#glance], without decoding more than that takes, in a sixth of the time and with a fiftieth of the memory.
    ///
    /// @param header what [#inspect] said of the same bytes, which it has found bearable
    /// @return empty where there is no quick way, or where it is not certain that the picture is whole: then decoding
    ///     all of it tells which
    public Optional<Glance> quickGlance(byte[] encoded, PictureHeader header) {
        if (header.format() != Format.JPEG) return Optional.empty();
        int eighths = Glance.eighths(header.storedWidth(), header.storedHeight());
        try {
            Picture small = ReducedJpeg.decode(encoded, eighths);
            return Optional.of(new Glance(header, header.orientation().apply(small)));
        } catch (DoubtfulJpeg _) {
            return Optional.empty();
        }
    }

    private PictureHeader header(byte[] encoded) throws UnreadablePicture {
        PictureHeader header = HeaderParser.parse(encoded);
        int width = header.storedWidth();
        int height = header.storedHeight();
        if (width > limits.side() || height > limits.side() || (long) width * height > limits.pixels()) {
            throw new UnreadablePicture(
                    "%,d x %,d pixels; at most %,d a side and %,d altogether are allowed. Scale it down."
                            .formatted(width, height, limits.side(), limits.pixels()));
        }
        return header;
    }

    private static BufferedImage lossyWebp(byte[] encoded, PictureHeader header) throws UnreadablePicture {
        Optional<Raster> alphas =
                LossyWebp.hasAlpha(encoded) ? Optional.of(pixels(encoded, header).getRaster()) : Optional.empty();
        if (alphas.isPresent() && alphas.get().getNumBands() != 4) alphas = Optional.empty();
        return LossyWebp.decode(encoded, header.storedWidth(), header.storedHeight(), alphas);
    }

    private static BufferedImage pixels(byte[] encoded, PictureHeader header) throws UnreadablePicture {
        ImageReader decoder = decoder(header.format());
        String[] damage = new String[1];
        decoder.addIIOReadWarningListener((source, warning) -> {
            if (meansLostPixels(warning)) damage[0] = warning;
        });
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(encoded))) {
            // Forward only, and without metadata: text chunks and thumbnails can be bombs of their own.
            decoder.setInput(in, true, header.format() == Format.PNG);
            BufferedImage image = decoder.read(0);
            if (damage[0] != null) throw new UnreadablePicture("the file is damaged: " + damage[0]);
            if (image.getWidth() != header.storedWidth() || image.getHeight() != header.storedHeight()) {
                throw new UnreadablePicture("the file contradicts itself about its size");
            }
            return image;
        } catch (IOException | RuntimeException e) {
            // Decoders meet hostile bytes with every kind of exception, ArrayIndexOutOfBounds included.
            throw new UnreadablePicture("the %s is damaged or incomplete%s"
                    .formatted(header.format(), reason(e)), e);
        } finally {
            decoder.dispose();
        }
    }

    private static String reason(Exception e) {
        return e instanceof IIOException && e.getMessage() != null ? " (" + e.getMessage() + ")" : "";
    }

    /// Decoders warn of many things; these warnings mean that pixels were made up.
    private static boolean meansLostPixels(String warning) {
        String text = warning.toLowerCase(Locale.ROOT);
        // A colour profile that is cut off is left aside, and the pixels are all there.
        if (text.contains("icc")) return false;
        return text.contains("premature end") || text.contains("truncated")
                || text.contains("corrupt") && !text.contains("extraneous bytes");
    }

    private static ImageReader decoder(Format format) {
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format.name());
        ImageReader first = null;
        while (readers.hasNext()) {
            ImageReader reader = readers.next();
            // For JPEG both the JDK and TwelveMonkeys answer; only the latter knows CMYK.
            if (reader.getClass().getName().startsWith("com.twelvemonkeys.")) return reader;
            if (first == null) first = reader;
        }
        if (first == null) throw new IllegalStateException("no decoder for " + format + " on the class path");
        return first;
    }

    private static UserMistake unreadable(String name, UnreadablePicture why) {
        UserMistake mistake = new UserMistake(UNREADABLE, name, String.valueOf(why.getMessage()));
        mistake.initCause(why);
        return mistake;
    }
}
