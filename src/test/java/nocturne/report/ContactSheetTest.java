package nocturne.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import nocturne.image.Picture;
import nocturne.ledger.Ledger;
import nocturne.report.ContactSheet.Sample;
import org.junit.jupiter.api.Test;

/// Samples of one flat colour each, found again on the sheet by that colour.
class ContactSheetTest {
    private static final int RED = 0xd01010;
    private static final int GREEN = 0x10d010;
    private static final int BLUE = 0x1010d0;

    @Test
    @Ledger("S1-65")
    void promptsAreRowsAndStepsAreColumnsInAscendingOrder() {
        Picture sheet = draw(sample(1, 200, RED, 64, 64), sample(0, 200, GREEN, 64, 64), sample(0, 100, BLUE, 64, 64));
        Box lowerRight = Box.of(sheet, RED);
        Box upperRight = Box.of(sheet, GREEN);
        Box upperLeft = Box.of(sheet, BLUE);
        assertThat(upperLeft.right).isLessThan(upperRight.left);
        assertThat(upperLeft.top).isEqualTo(upperRight.top);
        assertThat(lowerRight.left).isEqualTo(upperRight.left);
        assertThat(lowerRight.top).isGreaterThan(upperRight.bottom);
    }

    @Test
    void smallPicturesAreEnlargedByOneWholeFactor() {
        Picture sheet = draw(sample(0, 100, RED, 64, 64), sample(1, 100, BLUE, 48, 80));
        // 192 / 80 = 2.4: the largest side decides, rounded down, for all.
        assertThat(Box.of(sheet, RED).size()).containsExactly(128, 128);
        assertThat(Box.of(sheet, BLUE).size()).containsExactly(96, 160);
    }

    @Test
    void largePicturesAreReducedByOneWholeFactor() {
        Picture sheet = draw(sample(0, 100, RED, 1024, 1024), sample(1, 100, BLUE, 832, 1216));
        // 1216 / 192 rounded up is 7.
        assertThat(Box.of(sheet, RED).size()).containsExactly(146, 146);
        assertThat(Box.of(sheet, BLUE).size()).containsExactly(118, 173);
    }

    @Test
    void enlargingKeepsHardEdges() {
        Picture sheet = draw(new Sample(0, "x", 100,
                new Picture(2, 1, new byte[] {(byte) 0xd0, 16, 16, 16, 16, (byte) 0xd0})));
        assertThat(Box.of(sheet, RED).size()).containsExactly(96, 96);
        assertThat(Box.of(sheet, BLUE).left).isEqualTo(Box.of(sheet, RED).right + 1);
    }

    @Test
    void aSampleThatWasNotDrawnLeavesItsPlaceEmpty() {
        Picture sheet = draw(sample(0, 100, RED, 64, 64), sample(0, 200, GREEN, 64, 64), sample(1, 200, BLUE, 64, 64));
        Box gap = Box.of(sheet, Palette.EMPTY);
        assertThat(gap.left).isEqualTo(Box.of(sheet, RED).left);
        assertThat(gap.top).isEqualTo(Box.of(sheet, BLUE).top);
    }

    @Test
    void theRecommendedColumnIsMarkedAboveIt() {
        List<Sample> samples = List.of(sample(0, 100, RED, 64, 64), sample(0, 200, GREEN, 64, 64));
        Picture sheet = ContactSheet.draw(samples, OptionalLong.of(200));
        Box mark = Box.of(sheet, Palette.HELD_OUT);
        Box marked = Box.of(sheet, GREEN);
        assertThat(mark.left).isEqualTo(marked.left);
        assertThat(mark.right).isEqualTo(marked.right);
        assertThat(mark.bottom).isLessThan(marked.top);
        assertThat(Box.count(ContactSheet.draw(samples, OptionalLong.empty()), Palette.HELD_OUT)).isZero();
    }

    @Test
    void manyPromptsAndStepsStayWithinASheetThatCanBeOpened() {
        List<Sample> samples = new ArrayList<>();
        for (int prompt = 0; prompt < 40; prompt++) {
            for (int step = 0; step < 100; step++) {
                samples.add(sample(prompt, 10L * step, prompt == 39 && step == 99 ? RED : BLUE, 32, 32));
            }
        }
        Picture sheet = ContactSheet.draw(samples, OptionalLong.empty());
        assertThat(sheet.width()).isLessThan(4000);
        assertThat(sheet.height()).isLessThan(6000);
        assertThat(Box.count(sheet, RED)).as("the last sample is among the chosen").isPositive();
    }

    @Test
    void theSameSamplesGiveTheSameSheet() {
        Sample[] samples = {sample(0, 100, RED, 64, 64), sample(1, 100, BLUE, 48, 80)};
        assertThat(draw(samples).rgb()).isEqualTo(draw(samples).rgb());
    }

    @Test
    void refusesToDrawNothing() {
        assertThatThrownBy(() -> draw()).isInstanceOf(IllegalArgumentException.class);
    }

    private static Picture draw(Sample... samples) {
        return ContactSheet.draw(List.of(samples), OptionalLong.empty());
    }

    private static Sample sample(int prompt, long step, int colour, int width, int height) {
        return new Sample(prompt, "a prompt", step, new Canvas(width, height, colour).picture());
    }
}
