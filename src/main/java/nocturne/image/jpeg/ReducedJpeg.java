package nocturne.image.jpeg;

import java.util.ArrayList;
import java.util.List;
import nocturne.image.Picture;

/// Decodes a JPEG at a fraction of its size, and walks through all of its data.
public final class ReducedJpeg {
    private static final int MOST_SCANS = 200;

    private final byte[] file;
    private final int side;
    private final int[][] quantisation = new int[4][0];
    private final HuffmanTable[] lowest = new HuffmanTable[4];
    private final HuffmanTable[] others = new HuffmanTable[4];
    private List<Component> components = List.of();
    private int interval;
    private int adobe = -1;

    private ReducedJpeg(byte[] file, int side) {
        this.file = file;
        this.side = side;
    }

    /// The picture as stored, not turned, at `side` eighths of its size, rounded up. Colour profiles play no part; four
    /// colours become three as simply as can be: what comes out is for looking, not for training.
    ///
    /// @param file whose markers and lengths are known to be sound, and whose size is known to be bearable
    /// @param side 1, 2, 4 or 8
    /// @throws DoubtfulJpeg where this decoder cannot tell that the file is whole
    public static Picture decode(byte[] file, int side) throws DoubtfulJpeg {
        if (side != 1 && side != 2 && side != 4 && side != 8) throw new IllegalArgumentException("side " + side);
        try {
            return new ReducedJpeg(file, side).decode();
        } catch (IndexOutOfBoundsException e) {
            throw new DoubtfulJpeg("ends inside a segment");
        }
    }

    private Picture decode() throws DoubtfulJpeg {
        Frame frame = null;
        int scans = 0;
        for (int at = 2; ; ) {
            if (file[at] != (byte) 0xff) throw new DoubtfulJpeg("has something between its segments");
            int marker = file[at + 1] & 0xff;
            if (marker == 0xff) {
                at++;
                continue;
            }
            if (marker == 0xd9) break;
            int length = unsigned(at + 2);
            int content = at + 4;
            int end = at + 2 + length;
            if (length < 2 || end > file.length) throw new DoubtfulJpeg("ends inside a segment");
            at = end;
            switch (marker) {
                case 0xdb -> readQuantisation(content, end);
                case 0xc4 -> readCodes(content, end);
                case 0xdd -> interval = unsigned(content);
                case 0xee -> readAdobe(content, end);
                case 0xda -> {
                    if (frame == null || ++scans > MOST_SCANS) throw new DoubtfulJpeg("has scans out of place");
                    at = scan(frame, content, end);
                }
                case 0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf -> {
                    if (frame != null) throw new DoubtfulJpeg("has two frames");
                    frame = Frame.read(file, marker, content, end, side);
                    components = frame.components(file, content);
                }
                default -> {
                    // Comments, metadata, thumbnails, profiles.
                }
            }
        }
        if (frame == null) throw new DoubtfulJpeg("holds no picture");
        for (Component component : components) {
            if (component.factors().length == 0) throw new DoubtfulJpeg("lacks one of its colours");
        }
        return Colours.picture(frame, components, adobe);
    }

    private int scan(Frame frame, int content, int end) throws DoubtfulJpeg {
        int count = file[content];
        if (count < 1 || count > components.size() || end - content < 4 + 2 * count) {
            throw new DoubtfulJpeg("has a scan that cannot be");
        }
        List<Component> chosen = new ArrayList<>();
        HuffmanTable[] codes = new HuffmanTable[count];
        HuffmanTable[] rest = new HuffmanTable[count];
        int first = file[content + 1 + 2 * count];
        int last = file[content + 2 + 2 * count];
        int bits = file[content + 3 + 2 * count] & 0xff;
        if (first < 0 || last < 0 || last > 63) throw new DoubtfulJpeg("has a scan of frequencies that cannot be");
        for (int i = 0; i < count; i++) {
            Component component = component(file[content + 1 + 2 * i] & 0xff);
            if (chosen.contains(component)) throw new DoubtfulJpeg("has a scan with a colour twice");
            chosen.add(component);
            component.latch(quantisation);
            int tables = file[content + 2 + 2 * i] & 0xff;
            boolean needsCodes = !frame.progressive() || first == 0 && bits >> 4 == 0;
            boolean needsRest = !frame.progressive() || first > 0;
            if (needsCodes) codes[i] = table(lowest, tables >> 4);
            if (needsRest) rest[i] = table(others, tables & 15);
        }
        Scan scan = new Scan(chosen, codes, rest, first, last, bits >> 4, bits & 15);
        EntropyBits in = new EntropyBits(file, end);
        Runnable forget = () -> chosen.forEach(component -> component.predicted = 0);
        forget.run();
        if (frame.progressive()) {
            ProgressiveScan reader = new ProgressiveScan(scan, in, side);
            scan.blocks(frame, interval, in, () -> {
                forget.run();
                reader.restart();
            }, reader);
        } else {
            scan.blocks(frame, interval, in, forget, new SequentialScan(scan, in, side));
        }
        return in.end();
    }

    private Component component(int id) throws DoubtfulJpeg {
        for (Component component : components) if (component.id == id) return component;
        throw new DoubtfulJpeg("has a scan of a colour that it lacks");
    }

    private static HuffmanTable table(HuffmanTable[] tables, int number) throws DoubtfulJpeg {
        if (number > 3 || tables[number] == null) throw new DoubtfulJpeg("lacks a table");
        return tables[number];
    }

    private void readQuantisation(int content, int end) throws DoubtfulJpeg {
        for (int at = content; at < end; ) {
            boolean wide = (file[at] & 0xf0) != 0;
            int number = file[at] & 15;
            at++;
            if (number > 3 || at + (wide ? 128 : 64) > end) throw new DoubtfulJpeg("has a table that cannot be");
            int[] factors = new int[64];
            for (int k = 0; k < 64; k++) {
                factors[ZigZag.natural(k)] = wide ? unsigned(at) : file[at] & 0xff;
                at += wide ? 2 : 1;
            }
            quantisation[number] = factors;
        }
    }

    private void readCodes(int content, int end) throws DoubtfulJpeg {
        for (int at = content; at < end; ) {
            boolean rest = (file[at] & 0xf0) != 0;
            int number = file[at] & 15;
            if (number > 3 || at + 17 > end) throw new DoubtfulJpeg("has a table that cannot be");
            int[] counts = new int[16];
            int total = 0;
            for (int i = 0; i < 16; i++) total += counts[i] = file[at + 1 + i] & 0xff;
            at += 17;
            if (total > 256 || at + total > end) throw new DoubtfulJpeg("has a table that cannot be");
            byte[] symbols = new byte[total];
            System.arraycopy(file, at, symbols, 0, total);
            (rest ? others : lowest)[number] = new HuffmanTable(counts, symbols);
            at += total;
        }
    }

    private void readAdobe(int content, int end) {
        boolean adobes = end - content >= 12 && file[content] == 'A' && file[content + 1] == 'd'
                && file[content + 2] == 'o' && file[content + 3] == 'b' && file[content + 4] == 'e';
        if (adobes) adobe = file[content + 11];
    }

    private int unsigned(int at) {
        return (file[at] & 0xff) << 8 | file[at + 1] & 0xff;
    }
}
