package nocturne.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.TreeMap;
import nocturne.image.Picture;

/// All samples of a run on one sheet: a row for each prompt, a column for each step.
///
/// Small pictures are enlarged by a whole factor with hard edges, large ones reduced by one, all by the same, so
/// that pictures can be compared. A sheet has at most 24 columns and 24 rows; of more, an even choice that keeps
/// the first and the last is shown, and the sheet says so.
public final class ContactSheet {
    /// One picture of the grid.
    ///
    /// @param prompt  which prompt of the recipe, counted from 0; names the row
    /// @param text    the prompt itself
    /// @param step    optimizer updates before it was drawn, 0 for the untrained base; names the column
    /// @param picture the sample
    public record Sample(int prompt, String text, long step, Picture picture) {
        public Sample {
            if (prompt < 0 || step < 0) {
                throw new IllegalArgumentException("sample of prompt " + prompt + ", step " + step);
            }
        }
    }

    private static final int MAX_COLUMNS = 24;
    private static final int MAX_ROWS = 24;
    private static final int LONGEST_SIDE = 192;        // what a picture is enlarged or reduced towards
    private static final int SHORTEST_SIDE = 64;        // never reduced below this
    private static final int WIDEST = 3200;             // of all columns together
    private static final int SCALE = 2;                 // of the letters
    private static final int LINE = 11 * SCALE;
    private static final int MARGIN = 20;
    private static final int GAP = 10;
    private static final int LABEL = 200;
    private static final int HEADING = 36;

    private final Map<Integer, Map<Long, Sample>> rows = new TreeMap<>();
    private final List<Long> steps;
    private final List<Integer> prompts;
    private final OptionalLong recommended;
    private final String footnote;
    private int enlarge = 1;
    private int reduce = 1;

    private ContactSheet(List<Sample> samples, OptionalLong recommended) {
        for (Sample sample : samples) {
            rows.computeIfAbsent(sample.prompt(), _ -> new TreeMap<>()).put(sample.step(), sample);
        }
        List<Long> allSteps = samples.stream().map(Sample::step).distinct().sorted().toList();
        this.steps = chosen(allSteps, MAX_COLUMNS);
        this.prompts = chosen(List.copyOf(rows.keySet()), MAX_ROWS);
        this.recommended = recommended;
        this.footnote = footnote(allSteps.size(), rows.size());
        int longest = samples.stream()
                .mapToInt(sample -> Math.max(sample.picture().width(), sample.picture().height())).max().orElse(1);
        int side = Math.clamp(WIDEST / steps.size() - GAP, SHORTEST_SIDE, LONGEST_SIDE);
        if (longest <= side) enlarge = side / longest;
        else reduce = (longest + side - 1) / side;
    }

    /// @param samples     at least one; a prompt and step given twice counts as given last; gaps stay empty
    /// @param recommended the step whose column is marked
    public static Picture draw(List<Sample> samples, OptionalLong recommended) {
        if (samples.isEmpty()) throw new IllegalArgumentException("a contact sheet without samples");
        return new ContactSheet(samples, recommended).draw();
    }

    private Picture draw() {
        int[] rowHeights = prompts.stream().mapToInt(prompt -> Math.max(2 * LINE, row(prompt).values().stream()
                .mapToInt(sample -> shown(sample.picture().height())).max().orElseThrow())).toArray();
        int columnWidth = Math.max(minimumColumn(), rows.values().stream().flatMap(row -> row.values().stream())
                .mapToInt(sample -> shown(sample.picture().width())).max().orElseThrow());
        int width = MARGIN + LABEL + steps.size() * (columnWidth + GAP) - GAP + MARGIN;
        int height = MARGIN + HEADING + GAP / 2 + MARGIN + (footnote.isEmpty() ? 0 : LINE);
        for (int rowHeight : rowHeights) height += rowHeight + GAP;
        Canvas canvas = new Canvas(width, height, Palette.PAPER);

        for (int column = 0; column < steps.size(); column++) heading(canvas, column, columnWidth);
        int top = MARGIN + HEADING + GAP / 2;
        for (int row = 0; row < prompts.size(); row++) {
            Map<Long, Sample> samples = row(prompts.get(row));
            label(canvas, prompts.get(row), samples.values().iterator().next().text(), top, rowHeights[row]);
            for (int column = 0; column < steps.size(); column++) {
                int left = left(column, columnWidth);
                Sample sample = samples.get(steps.get(column));
                if (sample == null) canvas.fill(left, top, columnWidth, rowHeights[row], Palette.EMPTY, 1);
                else picture(canvas, sample.picture(), left, top, columnWidth, rowHeights[row]);
            }
            top += rowHeights[row] + GAP;
        }
        if (!footnote.isEmpty()) canvas.text(footnote, MARGIN, height - MARGIN - LINE + 4, SCALE, Palette.MUTED);
        return canvas.picture();
    }

    private Map<Long, Sample> row(Integer prompt) {
        return Objects.requireNonNull(rows.get(prompt));
    }

    private void heading(Canvas canvas, int column, int columnWidth) {
        long step = steps.get(column);
        int middle = left(column, columnWidth) + columnWidth / 2;
        boolean marked = recommended.isPresent() && recommended.getAsLong() == step;
        String text = heading(step);
        canvas.textAround(text, middle, MARGIN, SCALE, marked ? Palette.HELD_OUT : Palette.INK);
        if (marked) canvas.fill(left(column, columnWidth), MARGIN + HEADING - 8, columnWidth, 4, Palette.HELD_OUT, 1);
    }

    private static String heading(long step) {
        return step == 0 ? "base" : "step " + step;
    }

    private void label(Canvas canvas, int prompt, String text, int top, int rowHeight) {
        String number = Integer.toString(prompt + 1);
        int indent = 16 * SCALE;
        canvas.text(number, MARGIN, top, SCALE, Palette.MUTED);
        List<String> lines = Letters.wrapped(Letters.drawable(text), (LABEL - indent - MARGIN) / SCALE,
                Math.max(1, rowHeight / LINE));
        for (int i = 0; i < lines.size(); i++) {
            canvas.text(lines.get(i), MARGIN + indent, top + i * LINE, SCALE, Palette.INK);
        }
    }

    private void picture(Canvas canvas, Picture picture, int left, int top, int wide, int high) {
        Picture small = Canvas.reduced(picture, reduce);
        int x = left + (wide - small.width() * enlarge) / 2;
        int y = top + (high - small.height() * enlarge) / 2;
        canvas.picture(small, x, y, enlarge);
        // White pictures on white paper need an edge.
        canvas.frame(x - 1, y - 1, small.width() * enlarge + 2, small.height() * enlarge + 2, Palette.HAIRLINE);
    }

    private int shown(int pixels) {
        return Math.max(1, pixels / reduce) * enlarge;
    }

    private int minimumColumn() {
        return steps.stream().mapToInt(step -> Letters.width(heading(step)) * SCALE).max().orElse(0);
    }

    private static int left(int column, int columnWidth) {
        return MARGIN + LABEL + column * (columnWidth + GAP);
    }

    private static <T> List<T> chosen(List<T> all, int most) {
        if (all.size() <= most) return all;
        List<T> some = new ArrayList<>();
        for (int i = 0; i < most; i++) some.add(all.get((int) ((long) i * (all.size() - 1) / (most - 1))));
        return some;
    }

    private String footnote(int allSteps, int allPrompts) {
        List<String> parts = new ArrayList<>();
        if (steps.size() < allSteps) parts.add(steps.size() + " of " + allSteps + " steps");
        if (prompts.size() < allPrompts) parts.add(prompts.size() + " of " + allPrompts + " prompts");
        return parts.isEmpty() ? "" : "shown: " + String.join(", ", parts);
    }
}
