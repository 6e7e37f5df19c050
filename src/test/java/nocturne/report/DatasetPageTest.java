package nocturne.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import javax.xml.parsers.DocumentBuilderFactory;
import nocturne.dataset.findings.DatasetReport;
import nocturne.dataset.findings.DatasetReport.Bucket;
import nocturne.dataset.findings.DatasetReport.CaptionLengths;
import nocturne.dataset.findings.DatasetReport.Folder;
import nocturne.dataset.findings.DatasetReport.Role;
import nocturne.dataset.findings.Finding;
import nocturne.dataset.findings.Finding.Kind;
import nocturne.dataset.findings.Finding.Likeness;
import nocturne.dataset.findings.RunLength;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;

/// The page is XML as well as HTML, so an XML parser decides what is text and what is an element.
class DatasetPageTest {
    private static final String HOSTILE = "#</td></ul><script>alert(1)</script><img src=http://x onerror='x'>&amp;\"";

    @Test
    void everythingThatWasCountedIsOnThePage() throws Exception {
        String text = parsed(page("maya", findings("set/a.jpg"))).getDocumentElement().getTextContent();
        assertThat(text).contains("set", "1024 x 768", "33.3 %", "3400", "42.5", "80.0", "held out", "Blurred",
                "a text", "set/a.jpg and set/a.jpg: 3 bits, mirrored");
    }

    @Test
    void noTextCanLeaveItsPlace() throws Exception {
        Document page = parsed(page(HOSTILE, findings(HOSTILE)));
        assertThat(page.getElementsByTagName("script").getLength()).isZero();
        for (int i = 0; i < page.getElementsByTagName("img").getLength(); i++) {
            assertThat(page.getElementsByTagName("img").item(i).getAttributes().getNamedItem("src").getNodeValue())
                    .startsWith("data:image/png;base64,");
        }
        assertThat(page.getElementsByTagName("td").item(0).getTextContent()).isEqualTo(HOSTILE);
    }

    @Test
    void noFindingsAreSaidToo() throws Exception {
        assertThat(parsed(page("maya", List.of())).getDocumentElement().getTextContent()).contains("Findings", "None.");
    }

    /// A bundle of thousands of bad pictures gives a page that a browser can open.
    @Test
    void thePageIsBounded() {
        List<Finding> many = new ArrayList<>();
        for (int i = 0; i < 5000; i++) many.add(finding(Kind.BLURRED, "set/%d.jpg".formatted(i)));
        many.add(new Finding(Kind.ALIKE, many.stream().map(it -> it.pictures().getFirst()).toList(), 1, "many",
                List.of()));
        AtomicInteger asked = new AtomicInteger();
        String page = DatasetPage.of("maya", "Nocturne", report("set", many), name -> {
            asked.incrementAndGet();
            return Optional.of(new byte[20_000]);
        });
        assertThat(asked.get()).isLessThanOrEqualTo(120);
        assertThat(page.length()).isLessThan(4_000_000);
        assertThat(page).contains("And 4900 more");
    }

    private static List<Finding> findings(String picture) {
        List<Finding> findings = new ArrayList<>();
        for (Kind kind : Kind.values()) findings.add(finding(kind, picture));
        findings.add(new Finding(Kind.ALIKE, List.of(picture, picture), 3, "two",
                List.of(new Likeness(picture, picture, 3, true))));
        return findings;
    }

    private static Finding finding(Kind kind, String picture) {
        return new Finding(kind, List.of(picture), 1, "a text", List.of());
    }

    private static DatasetReport report(String folder, List<Finding> findings) {
        return new DatasetReport(2, 2, new RunLength(3400, 1, 4, 170),
                List.of(new Folder(folder, Role.HELD_OUT, 2, 10, 1, List.of(1024), 170)),
                List.of(new Bucket(1024, 768, 2, 170, 1.0 / 3)),
                new CaptionLengths(2, 0, 0, 10, 11, 12, OptionalInt.of(7)), findings);
    }

    private static String page(String name, List<Finding> findings) {
        return DatasetPage.of(name, "Nocturne 0.1.0", report(name.equals(HOSTILE) ? HOSTILE : "set", findings),
                any -> Optional.of(new byte[] {1}));
    }

    private static Document parsed(String page) throws Exception {
        var factory = DocumentBuilderFactory.newInstance();
        return factory.newDocumentBuilder().parse(new ByteArrayInputStream(page.getBytes(StandardCharsets.UTF_8)));
    }
}
