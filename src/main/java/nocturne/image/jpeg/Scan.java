package nocturne.image.jpeg;

import java.util.List;

/// One `SOS` segment: whose data follow, and which part of it.
///
/// @param components in the order of the data
/// @param codes      of each component's lowest frequency; what a scan does not need may be missing
/// @param others     of each component's other frequencies
/// @param first      place of the first coefficient in the file's order
/// @param last       place of the last one
/// @param high       bits that earlier scans left out, 0 in the first one
/// @param low        bits that this scan leaves out
record Scan(List<Component> components, HuffmanTable[] codes, HuffmanTable[] others, int first, int last, int high,
        int low) {

    /// How one block is read.
    @FunctionalInterface
    interface BlockReader {
        /// @param i     which of the scan's components
        /// @param block its number in the component
        void read(int i, int block) throws DoubtfulJpeg;
    }

    /// All blocks in the order of the data, with the restarts in between.
    ///
    /// @param interval units between two restarts, 0 for none
    /// @param restart  forgets what blocks know of those before them
    void blocks(Frame frame, int interval, EntropyBits in, Runnable restart, BlockReader reader)
            throws DoubtfulJpeg {
        boolean alone = components.size() == 1;
        Component only = components.getFirst();
        int wide = alone ? only.blocksWide : frame.unitsWide();
        int high = alone ? only.blocksHigh : frame.unitsHigh();
        int left = interval;
        int restarts = 0;
        for (int y = 0; y < high; y++) {
            for (int x = 0; x < wide; x++) {
                if (interval > 0 && left-- == 0) {
                    in.restart(restarts++ & 7);
                    restart.run();
                    left = interval - 1;
                }
                if (alone) {
                    reader.read(0, y * only.stride + x);
                } else {
                    unit(x, y, reader);
                }
            }
            in.requireNotPastEnd();
        }
    }

    private void unit(int x, int y, BlockReader reader) throws DoubtfulJpeg {
        for (int i = 0; i < components.size(); i++) {
            Component component = components.get(i);
            int from = y * component.down * component.stride + x * component.across;
            for (int v = 0; v < component.down; v++) {
                for (int h = 0; h < component.across; h++) reader.read(i, from + v * component.stride + h);
            }
        }
    }
}
