package nocturne.image.jpeg;

import java.util.List;

/// Reads the blocks of a sequential scan: the frequencies that are needed, and over the others.
final class SequentialScan implements Scan.BlockReader {
    private final EntropyBits in;
    private final Component[] components;
    private final HuffmanTable[] codes;
    private final HuffmanTable[] others;
    private final int[] places;
    private final int behindLast;
    private final int size;

    SequentialScan(Scan scan, EntropyBits in, int side) {
        this.in = in;
        List<Component> all = scan.components();
        components = all.toArray(new Component[0]);
        codes = scan.codes();
        others = scan.others();
        places = ZigZag.places(side);
        behindLast = ZigZag.behindLast(side);
        size = side * side;
    }

    @Override
    public void read(int i, int block) throws DoubtfulJpeg {
        Component component = components[i];
        component.predicted += in.difference(codes[i]);
        component.coefficients[block * size] = (short) component.predicted;
        int k = 1;
        while (k < behindLast) {
            int symbol = in.symbol(others[i]);
            int length = symbol & 15;
            if (length == 0) {
                if (symbol != 0xf0) return;
                k += 16;
                continue;
            }
            k += symbol >> 4;
            int value = in.signed(length);
            if (k > 63) throw new DoubtfulJpeg("has a block of more than 64 coefficients");
            if (places[k] >= 0) component.coefficients[block * size + places[k]] = (short) value;
            k++;
        }
        in.skip(others[i], k);
    }
}
