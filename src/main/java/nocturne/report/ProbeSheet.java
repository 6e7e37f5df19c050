package nocturne.report;

import java.util.List;
import nocturne.image.Picture;

/// Pictures of one checkpoint at several settings, on one labelled sheet.
///
/// All pictures are enlarged or reduced by the same whole factor. Rows of details show the middle of their pictures as
/// it is, pixel by pixel: what skin or cloth looks like is lost when a picture is reduced.
public final class ProbeSheet {
    private static final int LONGEST_SIDE = 256;
    private static final int SCALE = 2;
    private static final int LINE = 11 * SCALE;
    private static final int MARGIN = 20;
    private static final int GAP = 12;
    private static final int LABEL = 220;
    private static final int TITLE_LINES = 2;

    private final String title;
    private final List<Row> rows;
    private int enlarge = 1;
    private int reduce = 1;
    private final int columnWidth;
    private final int rowHeight;

    /// @param title   what its pictures have in common
    /// @param details whether only the middle is shown, at full size
    public record Row(String title, boolean details, List<Cell> cells) {
        public Row {
            cells = List.copyOf(cells);
        }
    }

    /// @param caption what differs from its neighbours
    public record Cell(String caption, Picture picture) {}

    private ProbeSheet(String title, List<Row> rows) {
        this.title = title;
        int longest = 1;
        for (Row row : rows) {
            for (Cell cell : row.cells) {
                longest = Math.max(longest, Math.max(cell.picture.width(), cell.picture.height()));
            }
        }
        if (longest <= LONGEST_SIDE) enlarge = LONGEST_SIDE / longest;
        else reduce = (longest + LONGEST_SIDE - 1) / LONGEST_SIDE;
        // What is not reduced shows its details as it is.
        this.rows = rows.stream().filter(row -> !row.cells.isEmpty() && (reduce > 1 || !row.details)).toList();
        int widest = LINE;
        int highest = LINE;
        for (Row row : rows) {
            for (Cell cell : row.cells) {
                widest = Math.max(widest, shown(cell.picture.width()));
                highest = Math.max(highest, shown(cell.picture.height()));
            }
        }
        columnWidth = widest;
        rowHeight = highest;
    }

    /// @param title above all
    /// @param rows  those without pictures are left out
    /// @throws IllegalArgumentException if there is no picture at all
    public static Picture draw(String title, List<Row> rows) {
        if (rows.stream().allMatch(row -> row.cells.isEmpty())) {
            throw new IllegalArgumentException("a sheet without pictures");
        }
        return new ProbeSheet(title, rows).draw();
    }

    private Picture draw() {
        int columns = rows.stream().mapToInt(row -> row.cells.size()).max().orElse(1);
        int width = MARGIN + LABEL + columns * (columnWidth + GAP) - GAP + MARGIN;
        int top = MARGIN + TITLE_LINES * LINE + GAP;
        int height = top + rows.size() * (LINE + rowHeight + GAP) + MARGIN - GAP;
        Canvas canvas = new Canvas(width, height, Palette.PAPER);
        write(canvas, title, MARGIN, MARGIN, width - 2 * MARGIN, TITLE_LINES, Palette.INK);
        for (Row row : rows) {
            write(canvas, row.title, MARGIN, top + LINE, LABEL - GAP, rowHeight / LINE, Palette.INK);
            for (int column = 0; column < row.cells.size(); column++) {
                Cell cell = row.cells.get(column);
                int left = MARGIN + LABEL + column * (columnWidth + GAP);
                write(canvas, cell.caption, left, top, columnWidth, 1, Palette.MUTED);
                picture(canvas, row.details ? middle(cell.picture) : Canvas.reduced(cell.picture, reduce),
                        row.details ? 1 : enlarge, left, top + LINE);
            }
            top += LINE + rowHeight + GAP;
        }
        return canvas.picture();
    }

    private static void write(Canvas canvas, String text, int x, int y, int wide, int lines, int colour) {
        List<String> wrapped = Letters.wrapped(Letters.drawable(text), wide / SCALE, lines);
        for (int i = 0; i < wrapped.size(); i++) canvas.text(wrapped.get(i), x, y + i * LINE, SCALE, colour);
    }

    private static void picture(Canvas canvas, Picture picture, int enlarged, int left, int top) {
        canvas.picture(picture, left, top, enlarged);
        canvas.frame(left - 1, top - 1, picture.width() * enlarged + 2, picture.height() * enlarged + 2,
                Palette.HAIRLINE);
    }

    /// As much of the middle as there is room for.
    private Picture middle(Picture picture) {
        int wide = Math.min(columnWidth, picture.width());
        int high = Math.min(rowHeight, picture.height());
        int left = (picture.width() - wide) / 2;
        int top = (picture.height() - high) / 2;
        byte[] rgb = new byte[3 * wide * high];
        for (int y = 0; y < high; y++) {
            System.arraycopy(picture.rgb(), 3 * ((top + y) * picture.width() + left), rgb, 3 * y * wide, 3 * wide);
        }
        return new Picture(wide, high, rgb);
    }

    private int shown(int pixels) {
        return Math.max(1, pixels / reduce) * enlarge;
    }
}
