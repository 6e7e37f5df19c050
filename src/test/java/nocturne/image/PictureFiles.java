package nocturne.image;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;

/// Real picture files for tests, written by ImageIO and, where it cannot, patched by hand.
public final class PictureFiles {
    private PictureFiles() {}

    /// Four quarters: red top left, blue top right, green bottom left, yellow bottom right.
    public static BufferedImage quarters(int width, int height, int type) {
        BufferedImage image = new BufferedImage(width, height, type);
        Graphics2D pen = image.createGraphics();
        Color[] colours = {Color.RED, Color.BLUE, Color.GREEN, Color.YELLOW};
        for (int i = 0; i < 4; i++) {
            pen.setColor(colours[i]);
            pen.fillRect(i % 2 * (width / 2), i / 2 * (height / 2), width - width / 2, height - height / 2);
        }
        pen.dispose();
        return image;
    }

    public static byte[] encode(BufferedImage image, String format) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            if (!ImageIO.write(image, format, out)) throw new IllegalStateException("no writer for " + format);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    public static byte[] png(int width, int height) {
        return encode(quarters(width, height, BufferedImage.TYPE_INT_RGB), "png");
    }

    public static byte[] jpeg(int width, int height) {
        return encode(quarters(width, height, BufferedImage.TYPE_INT_RGB), "jpg");
    }

    public static Path write(Path file, byte[] bytes) {
        try {
            Files.createDirectories(file.getParent());
            return Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// As a phone writes it: a second scan of coefficients sharpens the first.
    public static byte[] progressiveJpeg(int width, int height) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
            ImageWriteParam how = writer.getDefaultWriteParam();
            how.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
            writer.setOutput(stream);
            writer.write(null, new IIOImage(quarters(width, height, BufferedImage.TYPE_INT_RGB), null, null), how);
        }
        return out.toByteArray();
    }

    /// As Photoshop writes it: four inks, stored inverted, with Adobe's marker.
    public static byte[] cmykJpeg(int side, int cyan, int magenta, int yellow, int black) throws IOException {
        var raster = Raster.createInterleavedRaster(java.awt.image.DataBuffer.TYPE_BYTE, side, side, 4, null);
        for (int i = 0; i < side * side; i++) {
            raster.setPixel(i % side, i / side, new int[] {255 - cyan, 255 - magenta, 255 - yellow, 255 - black});
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
            writer.setOutput(stream);
            writer.write(null, new IIOImage(raster, null, null), null);
        }
        ByteBuffer adobe = ByteBuffer.allocate(12).put("Adobe".getBytes(StandardCharsets.US_ASCII))
                .putShort((short) 100).putShort((short) 0).putShort((short) 0).put((byte) 0);
        return withSegment(out.toByteArray(), 0xee, adobe.array());
    }

    /// A TIFF block with nothing but the orientation tag.
    public static byte[] exif(int orientation, ByteOrder order) {
        ByteBuffer tiff = ByteBuffer.allocate(26).order(order);
        byte mark = (byte) (order == ByteOrder.BIG_ENDIAN ? 'M' : 'I');
        tiff.put(mark).put(mark).putShort((short) 42).putInt(8);
        tiff.putShort((short) 1).putShort((short) 0x0112).putShort((short) 3).putInt(1).putShort((short) orientation);
        return tiff.array();
    }

    public static byte[] jpegWithExif(byte[] jpeg, int orientation, ByteOrder order) {
        byte[] tiff = exif(orientation, order);
        ByteBuffer block = ByteBuffer.allocate(6 + tiff.length);
        block.put("Exif\0\0".getBytes(StandardCharsets.US_ASCII)).put(tiff);
        return withSegment(jpeg, 0xe1, block.array());
    }

    /// The JPEG with one more segment directly behind its start.
    public static byte[] withSegment(byte[] jpeg, int marker, byte[] content) {
        return ByteBuffer.allocate(jpeg.length + 4 + content.length)
                .put(jpeg, 0, 2).put((byte) 0xff).put((byte) marker).putShort((short) (2 + content.length)).put(content)
                .put(jpeg, 2, jpeg.length - 2).array();
    }

    /// The PNG with one more chunk directly behind its header.
    public static byte[] withChunk(byte[] png, String type, byte[] content) {
        int headerEnd = 33;
        return ByteBuffer.allocate(png.length + 12 + content.length)
                .put(png, 0, headerEnd).put(chunk(type, content)).put(png, headerEnd, png.length - headerEnd).array();
    }

    public static byte[] chunk(String type, byte[] content) {
        ByteBuffer chunk = ByteBuffer.allocate(12 + content.length)
                .putInt(content.length).put(type.getBytes(StandardCharsets.US_ASCII)).put(content);
        CRC32 crc = new CRC32();
        crc.update(chunk.array(), 4, 4 + content.length);
        return chunk.putInt((int) crc.getValue()).array();
    }

    /// A sound PNG structure that claims any size and holds next to nothing.
    public static byte[] pngClaiming(int width, int height) {
        ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(height).put(new byte[] {8, 2, 0, 0, 0});
        byte[] ihdr = chunk("IHDR", header.array());
        byte[] idat = chunk("IDAT", new byte[] {0x78, (byte) 0x9c, 3, 0, 0, 0, 0, 1});
        byte[] iend = chunk("IEND", new byte[0]);
        return ByteBuffer.allocate(8 + ihdr.length + idat.length + iend.length)
                .putLong(0x89504e470d0a1a0aL).put(ihdr).put(idat).put(iend).array();
    }
}
