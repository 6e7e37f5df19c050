package nocturne.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/// Writes a [Picture] as JPEG, at a quality at which the eye sees no loss, with colour at full resolution.
public final class JpegWriter {
    private static final float QUALITY = 0.95f;
    private static final String TREE = "javax_imageio_jpeg_image_1.0";
    /// Two bytes of the segment's own length are counted in it.
    private static final int MOST_COMMENT = 65_533;
    private static final int LENGTH_AT = 4;

    private JpegWriter() {}

    /// @param comment carried in the file as UTF-8; what is beyond 65,533 bytes is cut off
    /// @return a complete JPEG file
    public static byte[] jpeg(Picture picture, String comment) {
        BufferedImage image = new BufferedImage(picture.width(), picture.height(), BufferedImage.TYPE_INT_RGB);
        byte[] rgb = picture.rgb();
        int[] row = new int[picture.width()];
        for (int y = 0, at = 0; y < picture.height(); y++) {
            for (int x = 0; x < row.length; x++, at += 3) {
                row[x] = (rgb[at] & 0xff) << 16 | (rgb[at + 1] & 0xff) << 8 | rgb[at + 2] & 0xff;
            }
            image.setRGB(0, y, row.length, 1, row, 0, row.length);
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        try {
            return commented(encoded(image, writer), comment.getBytes(StandardCharsets.UTF_8));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        } finally {
            writer.dispose();
        }
    }

    private static byte[] encoded(BufferedImage image, ImageWriter writer) throws IOException {
        ImageWriteParam settings = writer.getDefaultWriteParam();
        settings.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        settings.setCompressionQuality(QUALITY);
        IIOMetadata metadata = writer.getDefaultImageMetadata(
                ImageTypeSpecifier.createFromRenderedImage(image), settings);
        IIOMetadataNode tree = (IIOMetadataNode) metadata.getAsTree(TREE);
        // The first component is brightness; sampled no more often than the others, none of them loses resolution.
        IIOMetadataNode brightness = (IIOMetadataNode) tree.getElementsByTagName("componentSpec").item(0);
        brightness.setAttribute("HsamplingFactor", "1");
        brightness.setAttribute("VsamplingFactor", "1");
        metadata.setFromTree(TREE, tree);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
            writer.setOutput(out);
            writer.write(null, new IIOImage(image, null, metadata), settings);
        }
        return bytes.toByteArray();
    }

    /// Puts a COM segment behind the first one, which must stay the first.
    private static byte[] commented(byte[] jpeg, byte[] comment) {
        int length = Math.min(comment.length, MOST_COMMENT);
        int first = LENGTH_AT + ((jpeg[LENGTH_AT] & 0xff) << Byte.SIZE | jpeg[LENGTH_AT + 1] & 0xff);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(jpeg.length + length + LENGTH_AT);
        bytes.write(jpeg, 0, first);
        bytes.write(0xff);
        bytes.write(0xfe);
        bytes.write((length + 2) >> Byte.SIZE);
        bytes.write(length + 2);
        bytes.write(comment, 0, length);
        bytes.write(jpeg, first, jpeg.length - first);
        return bytes.toByteArray();
    }
}
