package nocturne.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import nocturne.image.Picture;
import nocturne.ledger.Ledger;
import nocturne.report.ProbeSheet.Cell;
import nocturne.report.ProbeSheet.Row;
import org.junit.jupiter.api.Test;

/// Pictures of one flat colour each, found again on the sheet by that colour.
class ProbeSheetTest {
    private static final int RED = 0xd01010;
    private static final int GREEN = 0x10d010;
    private static final int BLUE = 0x1010d0;

    @Test
    @Ledger("S2-74")
    void rowsAreBelowEachOtherAndCellsBesideEachOther() {
        Picture sheet = ProbeSheet.draw("title", List.of(
                new Row("3.0", false, List.of(cell(64, RED), cell(64, GREEN))),
                new Row("4.0", false, List.of(cell(64, BLUE)))));
        assertThat(Box.of(sheet, RED).right).isLessThan(Box.of(sheet, GREEN).left);
        assertThat(Box.of(sheet, RED).top).isEqualTo(Box.of(sheet, GREEN).top);
        assertThat(Box.of(sheet, BLUE).left).isEqualTo(Box.of(sheet, RED).left);
        assertThat(Box.of(sheet, BLUE).top).isGreaterThan(Box.of(sheet, RED).bottom);
        assertThat(Box.of(sheet, RED).size()).as("enlarged by 4").containsExactly(256, 256);
    }

    /// A picture of 1024 pixels is shown at a quarter; a square of 100 in its middle is 25 there and 100 in the detail.
    @Test
    @Ledger("S2-70")
    void detailsShowTheMiddleAtFullSize() {
        Canvas canvas = new Canvas(1024, 1024, BLUE);
        canvas.fill(462, 462, 100, 100, RED, 1);
        Cell cell = new Cell("x", canvas.picture());
        Picture reduced = ProbeSheet.draw("t", List.of(new Row("r", false, List.of(cell))));
        assertThat(Box.of(reduced, BLUE).size()).containsExactly(256, 256);
        assertThat(Box.count(reduced, RED)).isBetween(24 * 24, 26 * 26);
        Picture detail = ProbeSheet.draw("t", List.of(new Row("r", true, List.of(cell))));
        assertThat(Box.of(detail, RED).size()).containsExactly(100, 100);
        assertThat(Box.of(detail, BLUE).size()).containsExactly(256, 256);
    }

    @Test
    void detailsOfPicturesThatAreNotReducedAreLeftOutAndSoAreEmptyRows() {
        Row row = new Row("3.0", false, List.of(cell(64, RED)));
        Picture sheet = ProbeSheet.draw("t", List.of(row, new Row("detail", true, List.of(cell(64, GREEN))),
                new Row("none", false, List.of())));
        assertThat(sheet.rgb()).isEqualTo(ProbeSheet.draw("t", List.of(row)).rgb());
        assertThatThrownBy(() -> ProbeSheet.draw("t", List.of(new Row("none", false, List.of()))))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static Cell cell(int side, int colour) {
        return new Cell("strength 1.0", new Canvas(side, side, colour).picture());
    }
}
