package nocturne.image.jpeg;

/// Reads the blocks of one scan of a progressive picture: a few frequencies of all blocks, or one more bit of them.
///
/// What a later scan holds depends on which coefficients are not 0 already, so that is remembered for all 64 of a
/// block, and the values only for those that are needed.
final class ProgressiveScan implements Scan.BlockReader {
    private final Scan scan;
    private final EntropyBits in;
    private final int[] places;
    private final int size;
    /// Blocks that have no more in this band.
    private int ended;

    ProgressiveScan(Scan scan, EntropyBits in, int side) throws DoubtfulJpeg {
        this.scan = scan;
        this.in = in;
        places = ZigZag.places(side);
        size = side * side;
        boolean lowest = scan.first() == 0;
        if (lowest ? scan.last() != 0 : scan.components().size() != 1 || scan.last() < scan.first()) {
            throw new DoubtfulJpeg("has a scan that cannot be");
        }
        if (scan.high() != 0 && scan.high() != scan.low() + 1 || scan.low() > 13) {
            throw new DoubtfulJpeg("has a scan of bits that cannot be");
        }
    }

    void restart() {
        ended = 0;
    }

    @Override
    public void read(int i, int block) throws DoubtfulJpeg {
        Component component = scan.components().get(i);
        if (scan.first() == 0) {
            lowest(i, component, block);
        } else if (scan.high() == 0) {
            firstBits(component, block);
        } else {
            nextBit(component, block);
        }
    }

    private void lowest(int i, Component component, int block) throws DoubtfulJpeg {
        if (scan.high() == 0) {
            component.predicted += in.difference(scan.codes()[i]);
            component.coefficients[block * size] = (short) (component.predicted << scan.low());
        } else {
            component.coefficients[block * size] |= (short) (in.bit() << scan.low());
        }
    }

    private void firstBits(Component component, int block) throws DoubtfulJpeg {
        if (ended > 0) {
            ended--;
            return;
        }
        HuffmanTable table = scan.others()[0];
        long known = 0;
        for (int k = scan.first(); k <= scan.last(); k++) {
            int symbol = in.symbol(table);
            int length = symbol & 15;
            if (length == 0) {
                if (symbol != 0xf0) {
                    ended = run(symbol >> 4) - 1;
                    break;
                }
                k += 15;
                continue;
            }
            k += symbol >> 4;
            int value = in.signed(length);
            if (k > scan.last()) throw new DoubtfulJpeg("has a band of more coefficients than it says");
            known |= 1L << k;
            put(component, block, k, value << scan.low());
        }
        component.known()[block] |= known;
    }

    /// How many blocks end here, this one included: figure G.3.
    private int run(int length) {
        return (1 << length) + in.bits(length);
    }

    /// Figure G.7: known coefficients get a bit each as they are passed, new ones appear between them.
    private void nextBit(Component component, int block) throws DoubtfulJpeg {
        long known = component.known()[block];
        long fresh = 0;
        int k = scan.first();
        if (ended == 0) {
            HuffmanTable table = scan.others()[0];
            while (k <= scan.last()) {
                int symbol = in.symbol(table);
                int zeros = symbol >> 4;
                int value = 0;
                if ((symbol & 15) != 0) {
                    value = in.bit() == 1 ? 1 : -1;
                } else if (zeros != 15) {
                    ended = run(zeros);
                    break;
                }
                for (; k <= scan.last(); k++) {
                    if ((known >>> k & 1) != 0) {
                        correct(component, block, k);
                    } else if (zeros-- == 0) {
                        break;
                    }
                }
                if (value != 0) {
                    if (k > scan.last()) throw new DoubtfulJpeg("has a band of more coefficients than it says");
                    fresh |= 1L << k;
                    put(component, block, k, value << scan.low());
                }
                k++;
            }
        }
        if (ended > 0) {
            for (; k <= scan.last(); k++) if ((known >>> k & 1) != 0) correct(component, block, k);
            ended--;
        }
        component.known()[block] = known | fresh;
    }

    private void correct(Component component, int block, int k) {
        if (in.bit() == 0 || places[k] < 0) return;
        int at = block * size + places[k];
        int value = component.coefficients[at];
        component.coefficients[at] += (short) (value >= 0 ? 1 << scan.low() : -(1 << scan.low()));
    }

    private void put(Component component, int block, int k, int value) {
        if (places[k] >= 0) component.coefficients[block * size + places[k]] = (short) value;
    }
}
