package nocturne.bundle;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/// Writes zips field by field, so that every field can lie.
final class RawZip {
    private final List<Entry> entries = new ArrayList<>();
    byte[] before = new byte[0];
    byte[] comment = new byte[0];
    byte[] beforeDirectory = new byte[0];
    int directoryShift;
    int countShift;
    int disk;
    boolean wide;
    int wideDirectoryShift;

    /// An entry that tells the truth until a test makes it lie.
    static final class Entry {
        byte[] name;
        byte[] localName;
        int flags = 1 << 11;
        int localFlags = 1 << 11;
        int method;
        int localMethod;
        byte[] data;
        long crc;
        long localCrc;
        long packed;
        long unpacked;
        long localUnpacked;
        int madeBy = 3 << 8 | 20;
        int mode = 0100644;
        byte[] extra = new byte[0];
        byte[] localExtra = new byte[0];
        byte[] after = new byte[0];
        long offset = -1;
        boolean inDirectory = true;

        private Entry(String name, byte[] content, boolean deflate) {
            this.name = name.getBytes(StandardCharsets.UTF_8);
            this.localName = this.name;
            CRC32 sum = new CRC32();
            sum.update(content);
            crc = sum.getValue();
            localCrc = crc;
            unpacked = content.length;
            localUnpacked = content.length;
            data = deflate ? deflated(content) : content;
            packed = data.length;
            method = deflate ? 8 : 0;
            localMethod = method;
        }

        private byte[] localHeader() {
            return little(30 + localName.length + localExtra.length)
                    .putInt(0x04034b50).putShort((short) 20).putShort((short) localFlags)
                    .putShort((short) localMethod).putInt(0).putInt((int) localCrc).putInt((int) packed)
                    .putInt((int) localUnpacked).putShort((short) localName.length)
                    .putShort((short) localExtra.length).put(localName).put(localExtra).array();
        }

        private byte[] directoryEntry(long at) {
            return little(46 + name.length + extra.length)
                    .putInt(0x02014b50).putShort((short) madeBy).putShort((short) 20).putShort((short) flags)
                    .putShort((short) method).putInt(0).putInt((int) crc).putInt((int) packed).putInt((int) unpacked)
                    .putShort((short) name.length).putShort((short) extra.length).putShort((short) 0)
                    .putShort((short) 0).putShort((short) 0).putInt(mode << 16).putInt((int) (offset < 0 ? at : offset))
                    .put(name).put(extra).array();
        }
    }

    Entry stored(String name, byte[] content) {
        return add(new Entry(name, content, false));
    }

    Entry stored(String name, String content) {
        return stored(name, content.getBytes(StandardCharsets.UTF_8));
    }

    Entry deflated(String name, byte[] content) {
        return add(new Entry(name, content, true));
    }

    private Entry add(Entry entry) {
        entries.add(entry);
        return entry;
    }

    byte[] bytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream directory = new ByteArrayOutputStream();
        out.writeBytes(before);
        int count = 0;
        for (Entry entry : entries) {
            if (entry.inDirectory) {
                directory.writeBytes(entry.directoryEntry(out.size()));
                count++;
            }
            out.writeBytes(entry.localHeader());
            out.writeBytes(entry.data);
            out.writeBytes(entry.after);
        }
        out.writeBytes(beforeDirectory);
        int at = out.size();
        out.writeBytes(directory.toByteArray());
        if (wide) out.writeBytes(wideEnd(out.size(), at, directory.size(), count));
        out.writeBytes(end(count + countShift, directory.size(), at + directoryShift, disk, comment));
        return out.toByteArray();
    }

    private byte[] wideEnd(long here, long at, long size, long count) {
        return little(76).putInt(0x06064b50).putLong(44).putShort((short) 45).putShort((short) 45).putInt(0).putInt(0)
                .putLong(count).putLong(count).putLong(size).putLong(at + wideDirectoryShift)
                .putInt(0x07064b50).putInt(0).putLong(here).putInt(1).array();
    }

    static byte[] end(int count, int size, int at, int disk, byte[] comment) {
        return little(22 + comment.length).putInt(0x06054b50).putShort((short) disk).putShort((short) 0)
                .putShort((short) count).putShort((short) count).putInt(size).putInt(at)
                .putShort((short) comment.length).put(comment).array();
    }

    static ByteBuffer little(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }

    static byte[] deflated(byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] block = new byte[1 << 16];
        try (Deflater deflater = new Deflater(9, true)) {
            deflater.setInput(content);
            deflater.finish();
            while (!deflater.finished()) out.write(block, 0, deflater.deflate(block));
        }
        return out.toByteArray();
    }
}
