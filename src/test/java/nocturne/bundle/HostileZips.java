package nocturne.bundle;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32;

/// Zips that nobody sends by accident, each with the words its refusal must hold.
final class HostileZips {
    private static final byte[] ZEROS = new byte[8 << 20];

    private final List<Sample> samples = new ArrayList<>();

    /// @param name   of the trick
    /// @param zip    that plays it
    /// @param reason part of the answer
    record Sample(String name, byte[] zip, String reason) {}

    private HostileZips() {}

    static List<Sample> all() {
        HostileZips zips = new HostileZips();
        zips.names();
        zips.kinds();
        zips.contradictions();
        zips.ends();
        zips.bombs();
        return zips.samples;
    }

    private void names() {
        name("absolute", "/etc/cron.d/evil", "absolute path");
        name("parent", "../evil.png", "leads out of the bundle");
        name("parent in the middle", "a/../../evil.png", "leads out of the bundle");
        name("drive", "C:/evil.png", "absolute path");
        name("drive without slash", "C:evil.png", "absolute path");
        name("backslash", "..\\..\\evil.png", "backslash");
        name("UNC with backslashes", "\\\\host\\share\\evil.png", "backslash");
        name("UNC with slashes", "//host/share/evil.png", "absolute path");
        name("NUL", "a.png\0.txt", "control characters");
        name("escape sequence", "\u001b[2Ja.png", "control characters");
        name("line end", "a.png\r\nb.png", "control characters");
        name("right to left", "a\u202egnp.exe", "control characters");
        name("empty name", "", "has no name");
        name("empty part", "a//b.png", "empty part");
        name("device", "CON", "device");
        name("device with ending", "a/nul.txt", "device");
        name("final dot", "a.png.", "ends with a dot");
        name("final space", "a.png ", "ends with a dot or a space");
        name("final dot of a folder", "a./b.png", "ends with a dot");
        name("alternate stream", "a.png:evil", "colon");
        name("too deep", "a/".repeat(50) + "b.png", "path that is too long");
        add("Unicode path field", "leads out of the bundle", zip -> {
            RawZip.Entry entry = zip.stored("good.png", "x");
            entry.flags = 0;
            entry.localFlags = 0;
            entry.extra = unicodePath("good.png", "../evil.png");
            entry.localExtra = entry.extra;
        });
        add("equal but for case", "but for upper and lower case", zip -> {
            zip.stored("a.png", "x");
            zip.stored("A.PNG", "y");
        });
        add("equal but for composition", "but for upper and lower case", zip -> {
            zip.stored("\u00e9.png", "x");
            zip.stored("e\u0301.png", "y");
        });
        add("equal but for what is invisible", "but for upper and lower case", zip -> {
            zip.stored("a.png", "x");
            zip.stored("a\u200b.png", "y");
        });
        add("twice", "is there twice", zip -> {
            zip.stored("a.png", "x");
            zip.stored("a.png", "y");
        });
    }

    private void kinds() {
        kind("symbolic link", 0120777, 3, "symbolic link");
        kind("symbolic link made on a Mac", 0120777, 19, "symbolic link");
        kind("device", 0020666, 3, "neither a file nor");
        kind("pipe", 0010644, 3, "neither a file nor");
        add("through a link in another entry", "symbolic link", zip -> {
            zip.stored("a", "/etc").mode = 0120777;
            zip.stored("a/evil", "x");
        });
        add("file and folder", "a file and a folder", zip -> {
            zip.stored("a", "x");
            zip.stored("a/b", "x");
        });
        add("encrypted", "is encrypted", zip -> {
            RawZip.Entry entry = zip.stored("a.png", "x");
            entry.flags |= 1;
            entry.localFlags |= 1;
        });
        add("encrypted before the data only", "another size or kind", zip -> zip.stored("a.png", "x").localFlags |= 1);
        add("unknown compression", "compression that is not supported", zip -> {
            RawZip.Entry entry = zip.stored("a.png", "x");
            entry.method = 14;
            entry.localMethod = 14;
        });
        add("archive in an archive", "is itself an archive (zip)", zip -> {
            RawZip inner = new RawZip();
            inner.deflated("a.png", ZEROS);
            zip.stored("a.png", inner.bytes());
        });
    }

    private void contradictions() {
        add("another name before the data", "another name where its data begins",
                zip -> zip.stored("a.png", "x").localName = "b.png".getBytes(StandardCharsets.US_ASCII));
        add("another compression before the data", "another size or kind",
                zip -> zip.stored("a.png", "x").localMethod = 8);
        add("another size before the data", "another size or kind", zip -> zip.stored("a.png", "x").localUnpacked = 9);
        add("another checksum before the data", "another size or kind", zip -> zip.stored("a.png", "x").localCrc = 9);
        add("wrong checksum", "checksum is wrong", zip -> {
            RawZip.Entry entry = zip.stored("a.png", "x");
            entry.crc = 9;
            entry.localCrc = 9;
        });
        add("smaller than it says", "is damaged", zip -> {
            RawZip.Entry entry = zip.deflated("a.png", new byte[10]);
            entry.unpacked = 20;
            entry.localUnpacked = 20;
        });
        add("sizes that follow and lie", "unpacks to more than it says", zip -> {
            RawZip.Entry entry = zip.deflated("a.png", new byte[100]);
            entry.flags |= 1 << 3;
            entry.localFlags |= 1 << 3;
            entry.unpacked = 10;
            entry.after = RawZip.little(16).putInt(0x08074b50).putInt((int) entry.crc).putInt((int) entry.packed)
                    .putInt(10).array();
        });
        add("64-bit sizes that lie", "can be read", zip -> {
            RawZip.Entry entry = zip.stored("a.png", "x");
            entry.unpacked = -1;
            entry.packed = -1;
            entry.extra = RawZip.little(20).putShort((short) 1).putShort((short) 16).putLong(1L << 40).putLong(-5)
                    .array();
        });
        add("points outside the file", "not a zip that can be read",
                zip -> zip.stored("a.png", "x").offset = 0x7fffffff);
        add("data in the directory", "not a zip that can be read", zip -> {
            RawZip.Entry entry = zip.stored("a.png", "x");
            entry.packed = 40;
            entry.unpacked = 40;
            entry.localUnpacked = 40;
        });
    }

    private void ends() {
        byte[] sound = sound();
        add("something in front, offsets moved", "in front of its first file", zip -> {
            zip.before = "\u0089PNG\r\n\u001a\n".getBytes(StandardCharsets.ISO_8859_1);
            zip.before[0] = 'P';
            System.arraycopy(new byte[] {'P', 'K', 3, 4}, 0, zip.before, 0, 4);
            zip.stored("a.png", "x");
        });
        samples.add(new Sample("something in front, offsets not moved", join(new byte[] {'P', 'K', 3, 4}, sound),
                "not where its end says"));
        samples.add(new Sample("picture in front", join("\u0089PNG\r\n\u001a\n".getBytes(StandardCharsets.ISO_8859_1),
                sound), "neither a folder nor a zip"));
        samples.add(new Sample("cut in the data", Arrays.copyOf(sound, 20), "its end is missing"));
        samples.add(new Sample("cut in the directory", Arrays.copyOf(sound, sound.length - 30), "its end is missing"));
        samples.add(new Sample("directory shortened", join(Arrays.copyOf(sound, sound.length - 32),
                Arrays.copyOfRange(sound, sound.length - 22, sound.length)), "not where its end says"));
        add("two ends", "it has two ends", zip -> {
            zip.stored("a.png", "x");
            zip.comment = RawZip.end(0, 0, 0, 0, new byte[0]);
        });
        add("more entries than it says", "its directory is damaged", zip -> {
            zip.stored("a.png", "x");
            zip.countShift = -1;
        });
        add("fewer entries than it says", "its directory is damaged", zip -> {
            zip.stored("a.png", "x");
            zip.countShift = 1;
        });
        add("one part of several", "one part of several", zip -> {
            zip.stored("a.png", "x");
            zip.disk = 1;
        });
        add("64-bit directory elsewhere", "not where its end says", zip -> {
            zip.stored("a.png", "x");
            zip.wide = true;
            zip.wideDirectoryShift = -5;
        });
        add("65 000 entries", "at most 10,000", zip -> {
            for (int i = 0; i < 65_000; i++) zip.stored(Integer.toString(i, 36), "");
        });
        add("huge directory", "has a directory of", zip -> {
            for (int i = 0; i < 200; i++) zip.stored("a" + i, "").extra = new byte[60_000];
        });
        add("nothing", "holds no files", zip -> {});
    }

    private void bombs() {
        add("flat bomb", "times its size", zip -> zip.deflated("a.png", ZEROS));
        add("many small bombs", "times its size", zip -> {
            byte[] small = Arrays.copyOf(ZEROS, 1 << 20);
            for (int i = 0; i < 100; i++) zip.deflated(i + ".png", small);
        });
        add("bomb that lies", "unpacks to more than it says", zip -> {
            RawZip.Entry entry = zip.deflated("a.png", ZEROS);
            entry.unpacked = 1000;
            entry.localUnpacked = 1000;
        });
        add("patient bomb", "unpacks to", zip -> {
            byte[] patient = patient(4 << 20);
            for (int i = 0; i < 17; i++) zip.deflated(i + ".png", patient);
        });
        add("shared data", "shares its bytes", zip -> {
            zip.deflated("a.png", Arrays.copyOf(ZEROS, 1 << 20));
            RawZip.Entry same = zip.stored("b.png", "");
            same.offset = 0;
        });
        add("quoted entry", "shares its bytes", zip -> {
            RawZip inner = new RawZip();
            inner.stored("b.png", "inner");
            byte[] quoted = Arrays.copyOf(inner.bytes(), 30 + 5 + 5);
            quoted = join(new byte[4], quoted);
            zip.stored("a.png", quoted);
            RawZip.Entry b = zip.stored("b.png", "inner");
            b.offset = 30 + 5 + 4;
        });
        add("entry quoted in an extra field", "shares its bytes", zip -> {
            RawZip inner = new RawZip();
            inner.stored("b.png", "inner");
            RawZip.Entry a = zip.stored("a.png", "x");
            byte[] quoted = Arrays.copyOf(inner.bytes(), 30 + 5 + 5);
            a.localExtra = RawZip.little(4 + quoted.length).putShort((short) 0x9999).putShort((short) quoted.length)
                    .put(quoted).array();
            zip.stored("b.png", "inner").offset = 30 + 5 + 4;
        });
    }

    /// Inflates to about 150 times its size, which no single limit on ratios stops.
    private static byte[] patient(int length) {
        byte[] bytes = new byte[length];
        byte[] noise = HostileZipTest.noise(length / 170);
        for (int i = 0; i < noise.length; i++) bytes[i * 170] = noise[i];
        return bytes;
    }

    private static byte[] sound() {
        RawZip zip = new RawZip();
        zip.stored("a.png", HostileZipTest.noise(100));
        return zip.bytes();
    }

    private static byte[] unicodePath(String raw, String path) {
        CRC32 crc = new CRC32();
        crc.update(raw.getBytes(StandardCharsets.US_ASCII));
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        return RawZip.little(9 + name.length).putShort((short) 0x7075).putShort((short) (5 + name.length))
                .put((byte) 1).putInt((int) crc.getValue()).put(name).array();
    }

    private void name(String trick, String name, String reason) {
        add(trick, reason, zip -> zip.stored(name, "x"));
    }

    private void kind(String trick, int mode, int system, String reason) {
        add(trick, reason, zip -> {
            RawZip.Entry entry = zip.stored("a.png", "/etc/passwd");
            entry.mode = mode;
            entry.madeBy = system << 8 | 20;
        });
    }

    private void add(String trick, String reason, Consumer<RawZip> content) {
        RawZip zip = new RawZip();
        content.accept(zip);
        samples.add(new Sample(trick, zip.bytes(), reason));
    }

    private static byte[] join(byte[] one, byte[] other) {
        byte[] both = Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, both, one.length, other.length);
        return both;
    }
}
