package nocturne.service.fake;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;

/// The files a [FakeEngine] leaves: small, but whole and of the right kind.
final class FakeFiles {
    private FakeFiles() {}

    static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    /// What training has come to after one step more: a chain, so that a step left out or made twice shows at the end.
    static byte[] learned(byte[] before, long step) {
        return sha256(ByteBuffer.allocate(before.length + 8).put(before).putLong(step).array());
    }

    /// A safetensors file with one tensor.
    static byte[] adapter(byte[] learned, int size) {
        byte[] header = ("{\"lora\":{\"dtype\":\"U8\",\"shape\":[" + size + "],\"data_offsets\":[0," + size + "]}}")
                .getBytes(StandardCharsets.US_ASCII);
        ByteBuffer file = ByteBuffer.allocate(8 + header.length + size).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(header.length).put(header);
        while (file.hasRemaining()) file.put(learned, 0, Math.min(learned.length, file.remaining()));
        return file.array();
    }

    /// 8 by 8 pixels of one colour.
    static byte[] picture(byte[] colour) throws IOException {
        ByteArrayOutputStream pixels = new ByteArrayOutputStream();
        try (OutputStream packed = new DeflaterOutputStream(pixels)) {
            for (int row = 0; row < 8; row++) {
                packed.write(0);
                for (int column = 0; column < 8; column++) packed.write(colour, 0, 3);
            }
        }
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        png.write(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
        chunk(png, "IHDR", ByteBuffer.allocate(13).putInt(8).putInt(8).put(new byte[] {8, 2, 0, 0, 0}).array());
        chunk(png, "IDAT", pixels.toByteArray());
        chunk(png, "IEND", new byte[0]);
        return png.toByteArray();
    }

    private static void chunk(OutputStream png, String type, byte[] data) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(type.getBytes(StandardCharsets.US_ASCII));
        crc.update(data);
        DataOutputStream out = new DataOutputStream(png);
        out.writeInt(data.length);
        out.writeBytes(type);
        out.write(data);
        out.writeInt((int) crc.getValue());
    }

    /// Whole or not at all.
    static void write(Path file, byte[] bytes) throws IOException {
        Files.createDirectories(file.getParent());
        Path part = file.resolveSibling(".nocturne-" + ProcessHandle.current().pid() + "-" + file.getFileName()
                + ".part");
        Files.write(part, bytes);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
