package nocturne.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.SplittableRandom;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageOutputStream;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/// Pictures that look like nothing but have what photographs have: large shapes, small ones, and edges; a seed gives
/// always the same one, and two seeds have nothing in common.
public final class Scenes {
    private static final String JPEG_METADATA = "javax_imageio_jpeg_image_1.0";

    private Scenes() {}

    /// How a JPEG is written.
    ///
    /// @param quality  0 to 1
    /// @param sampling how many pixels of luma share one of chroma, across and down: 1 or 2
    /// @param restart  units between two restarts, 0 for none
    public record Jpeg(double quality, int sampling, int restart, boolean progressive) {
        public static final Jpeg USUAL = new Jpeg(0.9, 2, 0, false);
    }

    /// Values from 40 to 215, so that no rounding clips them.
    public static BufferedImage scene(int width, int height, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[][] planes = new float[3][width * height];
        for (float[] plane : planes) {
            for (int cell = 1 << 8; cell >= 1; cell /= 2) noise(plane, width, height, cell, random);
        }
        for (int i = 0; i < 12; i++) disc(planes, width, height, random);
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int rgb = 0;
                for (int c = 0; c < 3; c++) {
                    float value = 0.75f * planes[0][y * width + x] + 0.25f * planes[c][y * width + x];
                    rgb = rgb << 8 | Math.clamp(Math.round(128 + 60 * value), 40, 215);
                }
                image.setRGB(x, y, rgb);
            }
        }
        return image;
    }

    private static void noise(float[] plane, int width, int height, int cell, SplittableRandom random) {
        int across = width / cell + 2;
        float[] grid = new float[across * (height / cell + 2)];
        for (int i = 0; i < grid.length; i++) grid[i] = (float) (random.nextDouble() * 2 - 1);
        float size = (float) Math.sqrt(cell / 256.0);
        for (int y = 0; y < height; y++) {
            float down = (float) (y % cell) / cell;
            for (int x = 0; x < width; x++) {
                float over = (float) (x % cell) / cell;
                int at = y / cell * across + x / cell;
                float top = grid[at] * (1 - over) + grid[at + 1] * over;
                float bottom = grid[at + across] * (1 - over) + grid[at + across + 1] * over;
                plane[y * width + x] += size * (top * (1 - down) + bottom * down);
            }
        }
    }

    private static void disc(float[][] planes, int width, int height, SplittableRandom random) {
        double radius = (0.05 + 0.2 * random.nextDouble()) * Math.max(width, height);
        double left = width * random.nextDouble();
        double top = height * random.nextDouble();
        float[] colour = {random.nextInt(-1, 2), random.nextInt(-1, 2), random.nextInt(-1, 2)};
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                if (Math.hypot(x - left, y - top) > radius) continue;
                for (int c = 0; c < 3; c++) planes[c][y * width + x] += colour[c];
            }
        }
    }

    public static BufferedImage grey(BufferedImage image) {
        BufferedImage grey = new BufferedImage(image.getWidth(), image.getHeight(), BufferedImage.TYPE_BYTE_GRAY);
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                grey.getRaster().setSample(x, y, 0, image.getRGB(x, y) >> 8 & 0xff);
            }
        }
        return grey;
    }

    public static byte[] jpeg(BufferedImage image, Jpeg how) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageWriter writer = jdkWriter();
        try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
            ImageWriteParam param = writer.getDefaultWriteParam();
            param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            param.setCompressionQuality((float) how.quality());
            if (how.progressive()) param.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
            IIOMetadata metadata = writer.getDefaultImageMetadata(new ImageTypeSpecifier(image), param);
            Node tree = metadata.getAsTree(JPEG_METADATA);
            Node sequence = tree.getLastChild();
            if (how.restart() > 0) {
                IIOMetadataNode interval = new IIOMetadataNode("dri");
                interval.setAttribute("interval", Integer.toString(how.restart()));
                sequence.insertBefore(interval, sequence.getFirstChild());
            }
            NodeList frames = sequence.getChildNodes();
            for (int i = 0; i < frames.getLength(); i++) {
                if (!frames.item(i).getNodeName().equals("sof")) continue;
                IIOMetadataNode luma = (IIOMetadataNode) frames.item(i).getFirstChild();
                luma.setAttribute("HsamplingFactor", Integer.toString(how.sampling()));
                luma.setAttribute("VsamplingFactor", Integer.toString(how.sampling()));
            }
            metadata.setFromTree(JPEG_METADATA, tree);
            writer.setOutput(stream);
            writer.write(null, new IIOImage(image, null, metadata), param);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    private static ImageWriter jdkWriter() {
        var writers = ImageIO.getImageWritersByFormatName("jpeg");
        while (writers.hasNext()) {
            ImageWriter writer = writers.next();
            if (writer.getClass().getName().startsWith("com.sun.")) return writer;
        }
        throw new IllegalStateException("the JDK writes no JPEG");
    }

    public static Picture picture(BufferedImage image) {
        byte[] rgb = new byte[3 * image.getWidth() * image.getHeight()];
        for (int y = 0, at = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                int value = image.getRGB(x, y);
                for (int shift = 16; shift >= 0; shift -= 8) rgb[at++] = (byte) (value >> shift);
            }
        }
        return new Picture(image.getWidth(), image.getHeight(), rgb);
    }
}
