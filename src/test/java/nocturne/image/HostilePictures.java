package nocturne.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Files that want to exhaust memory or to be taken for something else, by name. `refused-...` must be refused;
/// `sound-...` holds, beside its trick, a picture of 48 x 32 with red in its first corner.
final class HostilePictures {
    private static final byte[] SOUND = PictureFiles.png(48, 32);
    /// Twice the memory of the process that reads them.
    private static final long BOMB_BYTES = 1L << 29;

    private HostilePictures() {}

    /// @param port of a local server that none of the pictures may make us call
    static Map<String, byte[]> all(int port) throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        String url = "http://127.0.0.1:" + port + "/bait";

        files.put("refused-60000x60000-in-50KB.png", enormous());
        files.put("refused-100-megapixels-of-nothing.png", deep(10_000, 10_000));
        files.put("refused-webp-that-claims-16384x16384.webp", losslessWebp(16_384, 16_384));
        files.put("refused-jpeg-that-claims-65535x65535.jpg", jpegClaiming(65_535, 65_535));
        files.put("refused-jpeg-with-10000-scans.jpg", manyScans());
        byte[] bomb = zeros(BOMB_BYTES);
        files.put("sound-ztxt-bomb.png", withChunk("zTXt", "Comment\0\0", bomb));
        files.put("sound-itxt-bomb.png", withChunk("iTXt", "XML:com.adobe.xmp\0\1\0\0\0", bomb));
        files.put("sound-iccp-bomb.png", withChunk("iCCP", "bomb\0\0", bomb));
        files.put("sound-pixels-followed-by-512MB-of-zeros.png", overlongData());
        files.put("sound-10000-frames.png", animated(10_000));
        files.put("sound-10000-comments.png", commented());
        files.put("sound-jpeg-with-profile-that-is-none.jpg", PictureFiles.withSegment(PictureFiles.jpeg(48, 32), 0xe2,
                "ICC_PROFILE\0\1\1nonsense".getBytes(StandardCharsets.US_ASCII)));

        files.put("sound-png-and-zip.png", joined(SOUND, zip()));
        files.put("sound-png-and-script.png", joined(SOUND, ascii("<?php system($_GET['c']); ?>")));
        files.put("sound-jpeg-with-script.jpg",
                PictureFiles.withSegment(PictureFiles.jpeg(48, 32), 0xfe, ascii("<script>alert(1)</script>")));
        files.put("sound-jpeg-with-xmp-entity.jpg", PictureFiles.withSegment(PictureFiles.jpeg(48, 32), 0xe1,
                ascii("http://ns.adobe.com/xap/1.0/\0<!DOCTYPE x [<!ENTITY e SYSTEM \"" + url + "\">]><x>&e;</x>")));
        files.put("refused-svg-as-png.png", ascii("<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"" + url
                + "\"/></svg>"));
        files.put("refused-xml-as-png.png", ascii("<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY e SYSTEM \"" + url
                + "\">]><x>&e;</x>"));
        files.put("refused-html-as-jpg.jpg", ascii("<html><img src=\"" + url + "\"></html>"));
        files.put("refused-postscript.png", ascii("%!PS\n(" + url + ") (r) file\n"));
        files.put("refused-imagemagick-script.png", ascii("push graphic-context\nfill 'url(" + url + ")'\n"));
        files.put("refused-pdf.png", ascii("%PDF-1.7\n"));
        files.put("refused-zip.png", zip());
        files.put("refused-gif.png", PictureFiles.encode(
                PictureFiles.quarters(48, 32, BufferedImage.TYPE_BYTE_INDEXED), "gif"));
        files.put("refused-bmp.png", PictureFiles.encode(
                PictureFiles.quarters(48, 32, BufferedImage.TYPE_INT_RGB), "bmp"));
        files.put("refused-tiff.jpg", PictureFiles.encode(
                PictureFiles.quarters(48, 32, BufferedImage.TYPE_INT_RGB), "tiff"));
        files.put("refused-zip-and-png.png", joined(zip(), SOUND));
        for (int part = 1; part < 10; part++) {
            files.put("refused-cut-off-%d.png".formatted(part), Arrays.copyOf(SOUND, SOUND.length * part / 10));
        }
        return files;
    }

    private static byte[] enormous() {
        byte[] thin = PictureFiles.pngClaiming(60_000, 60_000);
        byte[] padding = PictureFiles.chunk("teXt", new byte[50_000]);
        return withBeforeEnd(thin, padding);
    }

    /// Within the limits, and a few hundred KB, but its pixels alone are 400 MB.
    private static byte[] deep(int width, int height) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(height).put(new byte[] {8, 6, 0, 0, 0});
        byte[] pixels = zeros(height * (1 + 4L * width));
        return png(PictureFiles.chunk("IHDR", header.array()), PictureFiles.chunk("IDAT", pixels));
    }

    private static byte[] overlongData() throws IOException {
        ByteBuffer header = ByteBuffer.allocate(13).putInt(48).putInt(32).put(new byte[] {8, 2, 0, 0, 0});
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        try (OutputStream deflated = new DeflaterOutputStream(data)) {
            byte[] row = new byte[1 + 3 * 48];
            for (int x = 0; x < 48; x++) row[1 + 3 * x] = (byte) 255;
            for (int y = 0; y < 32; y++) deflated.write(row);
            byte[] more = new byte[1 << 20];
            for (long i = 0; i < BOMB_BYTES; i += more.length) deflated.write(more);
        }
        return png(PictureFiles.chunk("IHDR", header.array()), PictureFiles.chunk("IDAT", data.toByteArray()));
    }

    private static byte[] animated(int frames) {
        ByteArrayOutputStream chunks = new ByteArrayOutputStream();
        chunks.writeBytes(PictureFiles.chunk("acTL", ByteBuffer.allocate(8).putInt(frames).putInt(0).array()));
        for (int i = 0; i < frames; i++) {
            ByteBuffer control = ByteBuffer.allocate(26).putInt(2 * i).putInt(48).putInt(32).putInt(0).putInt(0);
            chunks.writeBytes(PictureFiles.chunk("fcTL", control.array()));
            chunks.writeBytes(PictureFiles.chunk("fdAT", ByteBuffer.allocate(12).putInt(2 * i + 1).array()));
        }
        return withBeforeEnd(SOUND, chunks.toByteArray());
    }

    private static byte[] commented() throws IOException {
        ByteArrayOutputStream chunks = new ByteArrayOutputStream();
        byte[] text = joined(ascii("Comment\0\0"), zeros(1 << 20));
        for (int i = 0; i < 10_000; i++) chunks.writeBytes(PictureFiles.chunk("zTXt", text));
        return withBeforeEnd(SOUND, chunks.toByteArray());
    }

    private static byte[] withChunk(String type, String before, byte[] deflated) {
        return PictureFiles.withChunk(SOUND, type, joined(ascii(before), deflated));
    }

    private static byte[] losslessWebp(int width, int height) {
        ByteBuffer webp = ByteBuffer.allocate(30).order(ByteOrder.LITTLE_ENDIAN);
        webp.put(ascii("RIFF")).putInt(22).put(ascii("WEBPVP8L")).putInt(10).put((byte) 0x2f)
                .putInt(width - 1 | height - 1 << 14);
        return webp.array();
    }

    private static byte[] jpegClaiming(int width, int height) {
        byte[] jpeg = PictureFiles.jpeg(48, 32);
        for (int at = 2; at < jpeg.length; at++) {
            if (jpeg[at] != (byte) 0xff || jpeg[at + 1] != (byte) 0xc0) continue;
            ByteBuffer.wrap(jpeg).putShort(at + 5, (short) height).putShort(at + 7, (short) width);
            return jpeg;
        }
        throw new IllegalStateException("no frame header");
    }

    private static byte[] manyScans() throws IOException {
        byte[] jpeg = PictureFiles.progressiveJpeg(48, 32);
        byte[] scan = {(byte) 0xff, (byte) 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0};
        ByteArrayOutputStream scans = new ByteArrayOutputStream();
        scans.write(jpeg, 0, jpeg.length - 2);
        for (int i = 0; i < 10_000; i++) scans.writeBytes(scan);
        scans.write(jpeg, jpeg.length - 2, 2);
        return scans.toByteArray();
    }

    private static byte[] zip() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            zip.putNextEntry(new ZipEntry("recipe.yaml"));
            zip.write(ascii("name: hidden"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /// So many zeros, deflated.
    private static byte[] zeros(long count) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] block = new byte[1 << 20];
        try (OutputStream deflated = new DeflaterOutputStream(bytes, new Deflater(6))) {
            for (long left = count; left > 0; left -= block.length) {
                deflated.write(block, 0, (int) Math.min(left, block.length));
            }
        }
        return bytes.toByteArray();
    }

    private static byte[] png(byte[]... chunks) {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        png.write(SOUND, 0, 8);
        for (byte[] chunk : chunks) png.writeBytes(chunk);
        png.writeBytes(PictureFiles.chunk("IEND", new byte[0]));
        return png.toByteArray();
    }

    private static byte[] withBeforeEnd(byte[] png, byte[] chunks) {
        int end = png.length - 12;
        return joined(Arrays.copyOf(png, end), chunks, Arrays.copyOfRange(png, end, png.length));
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) all.writeBytes(part);
        return all.toByteArray();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
