package nocturne.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import nocturne.dataset.findings.DatasetReport;
import nocturne.dataset.findings.DatasetReport.CaptionLengths;
import nocturne.dataset.findings.Finding;
import nocturne.dataset.findings.Finding.Kind;
import nocturne.dataset.findings.RunLength;
import nocturne.recipe.Notice;
import org.junit.jupiter.api.Test;

class DatasetNoticesTest {

    @Test
    void allFindingsOfAKindAreOneNoticeWithAFewExamplesAndARemedy() {
        List<Finding> findings = new ArrayList<>();
        for (int i = 0; i < 7; i++) findings.add(finding(Kind.BLURRED, "set/" + i + ".jpg"));
        findings.add(finding(Kind.ALIKE, "set/a.jpg", "set/b.jpg"));
        findings.add(finding(Kind.ALIKE, "set/c.jpg", "set/d.jpg"));
        List<Notice> notices = DatasetNotices.of(report(findings), Set.of(), true);
        assertThat(notices).extracting(Notice::code).containsExactly("S1-68-ALIKE", "S1-68-BLURRED");
        assertThat(notices.get(0).text()).startsWith(
                "Nearly the same picture: 4 pictures (set/a.jpg, set/b.jpg; set/c.jpg, set/d.jpg). ");
        assertThat(notices.get(1).text()).startsWith("Blurred: 7 pictures (set/0.jpg, set/1.jpg, set/2.jpg, set/3.jpg, "
                + "set/4.jpg, and more). ").endsWith(Kind.BLURRED.remedy());
    }

    @Test
    void whatTheScanHasSaidIsNotSaidAgain() {
        assertThat(DatasetNotices.of(report(List.of(finding(Kind.SMALL, "a"), finding(Kind.CAPTION_EMPTY, "b"),
                finding(Kind.CAPTION_MISSING, "c"))), Set.of(), true)).isEmpty();
    }

    @Test
    void aWarningThatIsKnownIsANotice() {
        DatasetReport blurred = report(List.of(finding(Kind.BLURRED, "a")));
        assertThat(DatasetNotices.of(blurred, Set.of(), true).getFirst().isWarning()).isTrue();
        assertThat(DatasetNotices.of(blurred, Set.of("S1-68-BLURRED"), true).getFirst().isWarning()).isFalse();
    }

    @Test
    void anotherKindOfFindingIsNotKnownByTheSameRow() {
        DatasetReport blurred = report(List.of(finding(Kind.BLURRED, "a")));
        assertThat(DatasetNotices.of(blurred, Set.of("S1-68", "S1-68-ALIKE"), true).getFirst().isWarning()).isTrue();
    }

    @Test
    void captionsThatLoseTheirEndAreNamedWithTheirLength() {
        Finding cut = new Finding(Kind.CAPTION_CUT, List.of("set/a.jpg"), 1300, "1300 tokens", List.of());
        assertThat(DatasetNotices.of(report(List.of(cut)), Set.of(), true)).singleElement().satisfies(notice -> {
            assertThat(notice.code()).isEqualTo("S1-69-CUT");
            assertThat(notice.text()).startsWith(
                    "Caption longer than the model reads: 1 picture (set/a.jpg, 1300 tokens). ");
        });
        assertThat(DatasetNotices.of(report(List.of(cut)), Set.of(), false)).as("captions are left aside").isEmpty();
    }

    @Test
    void aSoundDatasetHasNoNotices() {
        assertThat(DatasetNotices.of(report(List.of()), Set.of(), true)).isEmpty();
    }

    private static Finding finding(Kind kind, String... pictures) {
        return new Finding(kind, List.of(pictures), 1, "text", List.of());
    }

    private static DatasetReport report(List<Finding> findings) {
        return new DatasetReport(2, 2, new RunLength(1, 1, 1, 2), List.of(), List.of(),
                new CaptionLengths(0, 0, 0, 0, 0, 0, OptionalInt.empty()), findings);
    }
}
