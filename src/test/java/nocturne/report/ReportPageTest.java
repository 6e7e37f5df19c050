package nocturne.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import nocturne.image.PngWriter;
import nocturne.ledger.Ledger;
import nocturne.promise.Promise;
import nocturne.report.RunSummary.Adapter;
import nocturne.report.RunSummary.Checkpoint;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/// The page is XML as well as HTML, so an XML parser decides what is text and what is an element.
class ReportPageTest {
    private static final String HOSTILE = "</code></pre><script>alert(1)</script><img src=http://x onerror='x'>&amp;\"";
    private static final List<Checkpoint> CHECKPOINTS = List.of(
            new Checkpoint(100, 0.61, 0.52, "ohwx_000000100.safetensors", 1_234_567, "a".repeat(64)),
            new Checkpoint(200, 0.50, 0.43, "ohwx_000000200.safetensors", 1_234_567, "b".repeat(64)),
            new Checkpoint(300, 0.44, 0.47, "ohwx_000000300.safetensors", 1_234_567, "c".repeat(64)));

    /// At every tenth step two thirds are met; the low one never.
    private static final LossHistory LOSSES = new LossHistory(IntStream.rangeClosed(1, 300)
            .mapToObj(step -> new LossHistory.Training(step, 0.5, 1e-4, step % 10 > 0 ? LossHistory.ByNoise.UNKNOWN
                    : new LossHistory.ByNoise(step <= 60 ? 0.8 : 0.4, step <= 60 ? 0.6 : 0.3, Double.NaN))).toList(),
            List.of());

    @Test
    @Ledger({"S1-66", "S1-72"})
    void theRecommendedCheckpointIsTheOneWithTheLowestHeldOutLossAndTheReasonIsGiven() throws Exception {
        Document page = parsed(summary("ohwx", CHECKPOINTS));
        String box = element(page, "section", "recommended").getTextContent();
        assertThat(box).contains("ohwx_000000200.safetensors").contains("0.4300").contains("0.4700 at the end");
        assertThat(element(page, "tr", "best").getTextContent()).contains("b".repeat(64));
    }

    @Test
    @Ledger("S2-24")
    void checkpointsOfTheMiddleStandOut() throws Exception {
        Document page = parsed(summary("ohwx", CHECKPOINTS));
        // 200 of 300 is 67 % and here the best as well; 100 and 300 are outside.
        assertThat(element(page, "tr", "best").getTextContent()).startsWith("◆ 200");
        List<Checkpoint> unmeasured = CHECKPOINTS.stream().map(c -> new Checkpoint(c.step(), c.trainingLoss(),
                Double.NaN, c.file(), c.bytes(), c.sha256())).toList();
        Document plain = parsed(summary("ohwx", unmeasured));
        assertThat(element(plain, "tr", "likely").getTextContent()).startsWith("◆ 200");
        assertThat(element(plain, "tr", "best").getTextContent()).startsWith("300");
        assertThat(element(plain, "section", "recommended").getTextContent())
                .contains("those of ohwx_000000200.safetensors first");
    }

    @Test
    @Ledger("S1-28")
    void theLossIsShownByThirdsOfTheNoise() throws Exception {
        String text = parsed(summary("ohwx", CHECKPOINTS)).getDocumentElement().getTextContent();
        assertThat(text).contains("composition: where things are0.80000.4000-50.0 %",
                "features: a face, a shape0.60000.3000-50.0 %", "texture: skin, cloth, grain––");
    }

    @Test
    @Ledger("S1-67")
    void theToolsAgainstMemorisingAreListedWithWhatIsOff() throws Exception {
        String text = parsed(summary("ohwx", CHECKPOINTS)).getDocumentElement().getTextContent();
        assertThat(text).contains("weight decay: on, weight_decay is 0.01", "a low rank: off, network.linear is 64");
    }

    @Test
    @Ledger("S1-75")
    void picturesThatChangeUnaskedBringAdvice() throws Exception {
        RunSummary quiet = probed(new RunSummary.Drift(4, 20));
        assertThat(parsed(quiet).getDocumentElement().getTextContent())
                .contains("moves 4.0 from that of the untrained model, with it 20.0", "leaves the rest alone")
                .doesNotContain("lower rank (network.linear)");
        RunSummary loud = probed(new RunSummary.Drift(15, 20));
        assertThat(parsed(loud).getDocumentElement().getTextContent())
                .contains("moves 15.0", "lower rank (network.linear), timestep_type: sigmoid, more weight decay");
        assertThat(ReportPage.of(probed(null))).doesNotContain("moves");
    }

    @Test
    @Ledger("S2-67")
    void theSheetOfTheProbeStandsRightBelowTheRecommendation() {
        String page = ReportPage.of(probed(null));
        assertThat(page.indexOf("What it can do")).isBetween(page.indexOf("Recommended checkpoint"),
                page.indexOf("<h2>Samples"));
        assertThat(page).contains("17 of 19 pictures were drawn");
    }

    private static RunSummary probed(RunSummary.@Nullable Drift drift) {
        RunSummary full = summary("ohwx", CHECKPOINTS);
        byte[] png = PngWriter.png(new Canvas(4, 4, Palette.TRAINING).picture(), new LinkedHashMap<>());
        return new RunSummary(full.jobName(), full.trigger(), full.baseModel(), full.device(), full.program(),
                full.finished(), full.trainingTime(), full.pictures(), full.adapter(), full.checkpoints(),
                full.losses(), full.tools(), full.prompts(), full.notices(), full.recipe(), null, null,
                new RunSummary.Probe(png, 17, 19, drift));
    }

    @Test
    void withoutHeldOutPicturesTheFinalOneIsNamedAndThePageSaysWhy() throws Exception {
        List<Checkpoint> unmeasured = CHECKPOINTS.stream().map(c -> new Checkpoint(c.step(), c.trainingLoss(),
                Double.NaN, c.file(), c.bytes(), c.sha256())).toList();
        String box = element(parsed(summary("ohwx", unmeasured)), "section", "recommended").getTextContent();
        assertThat(box).contains("ohwx_000000300.safetensors").contains("No pictures were held out");
    }

    @Test
    void aLossThatIsLowestAtTheEndSuggestsALongerRun() {
        assertThat(summary("ohwx", CHECKPOINTS.subList(0, 2)).recommendation().orElseThrow().reason())
                .contains("longer run");
    }

    @Test
    void aRunWithoutCheckpointsStillHasAPage() throws Exception {
        Document page = parsed(summary("ohwx", List.of()));
        assertThat(element(page, "section", "recommended").getTextContent()).contains("None");
    }

    @Test
    @Ledger({"S1-06", "S2-60"})
    void everythingAUserNeedsIsOnThePage() throws Exception {
        String text = parsed(summary("ohwx", CHECKPOINTS)).getDocumentElement().getTextContent();
        assertThat(text).contains("a".repeat(64), "1.2 MB", "the picture 7 was turned upright", "network_dim: 16",
                "ComfyUI", "euler", "simple", "load_lora_weights", "true_cfg_scale=3.5", "8-bit base", "Nunchaku",
                "Qwen/Qwen-Image", "an ohwx on the left");
    }

    /// Nothing is loaded: no scripts, no links, pictures only from the page itself.
    @Test
    void thePageStandsAlone() throws Exception {
        Document page = parsed(summary("ohwx", CHECKPOINTS));
        for (String loading : List.of("script", "link", "iframe", "object", "embed", "base", "form")) {
            assertThat(page.getElementsByTagName(loading).getLength()).as("<%s>", loading).isZero();
        }
        NodeList images = page.getElementsByTagName("img");
        assertThat(images.getLength()).isEqualTo(2);
        for (int i = 0; i < images.getLength(); i++) {
            assertThat(((Element) images.item(i)).getAttribute("src")).startsWith("data:image/png;base64,");
        }
        assertThat(ReportPage.of(summary("ohwx", CHECKPOINTS))).doesNotContain("url(", "@import", "http:", "https:");
    }

    @Test
    @Promise(row = 41, fault = "markup, quotes and control characters in every text of a report")
    void textFromUsersStaysText() throws Exception {
        Document harmless = parsed(everywhere("x"));
        Document hostile = parsed(everywhere(HOSTILE));
        assertThat(hostile.getElementsByTagName("*").getLength())
                .isEqualTo(harmless.getElementsByTagName("*").getLength());
        assertThat(hostile.getElementsByTagName("h1").item(0).getTextContent()).isEqualTo(HOSTILE);
    }

    @Property(tries = 100)
    @Promise(row = 41, fault = "any text in every text of a report")
    void anyTextStaysText(@ForAll String text) throws Exception {
        Document page = parsed(everywhere("x" + text));
        assertThat(page.getElementsByTagName("*").getLength())
                .isEqualTo(parsed(everywhere("x")).getElementsByTagName("*").getLength());
    }

    @Test
    void charactersThatReorderOrHideAreSpelledOut() {
        assertThat(Html.escaped("gnp.\u202egpj\u001b[2J")).isEqualTo("gnp.[U+202E]gpj[U+001B][2J");
    }

    @Test
    void theSameRunGivesTheSameBytes() {
        assertThat(ReportPage.of(summary("ohwx", CHECKPOINTS))).isEqualTo(ReportPage.of(summary("ohwx", CHECKPOINTS)));
    }

    @Test
    void aLowerLossBetweenCheckpointsIsNotHidden() {
        RunSummary full = summary("ohwx", CHECKPOINTS);
        RunSummary lower = new RunSummary(full.jobName(), full.trigger(), full.baseModel(), full.device(),
                full.program(), full.finished(), full.trainingTime(), full.pictures(), full.adapter(),
                full.checkpoints(), new LossHistory(List.of(), List.of(new LossHistory.HeldOut(123, 0.001))),
                full.tools(), full.prompts(), full.notices(), full.recipe(), null, null, null);
        assertThat(lower.recommendation().orElseThrow().reason()).contains("lower: 0.0010 at step 123");
    }

    @Test
    void withoutPicturesThePageSaysSo() throws Exception {
        RunSummary full = summary("ohwx", CHECKPOINTS);
        Document page = parsed(new RunSummary(full.jobName(), full.trigger(), full.baseModel(), full.device(),
                full.program(), full.finished(), full.trainingTime(), full.pictures(), full.adapter(),
                full.checkpoints(), full.losses(), full.tools(), full.prompts(), full.notices(), full.recipe(), null,
                null, null));
        assertThat(page.getElementsByTagName("img").getLength()).isZero();
        assertThat(page.getDocumentElement().getTextContent()).contains("No samples were drawn");
    }

    @Test
    void warningsStandBeforeWhatIsMerelyGoodToKnow() throws Exception {
        Element list = element(parsed(summary("ohwx", CHECKPOINTS)), "li", "warning");
        assertThat(list.getTextContent()).isEqualTo("Warning: the rank is large");
        assertThat(list.getNextSibling().getNextSibling().getTextContent())
                .isEqualTo("the picture 7 was turned upright");
    }

    @Test
    void numbersReadLikeNumbers() {
        assertThat(List.of(Numbers.bytes(999), Numbers.bytes(1000), Numbers.bytes(23_456), Numbers.bytes(999_600),
                Numbers.bytes(590_000_000), Numbers.bytes(5_000_000_000L)))
                .containsExactly("999 B", "1.0 kB", "23 kB", "1.0 MB", "590 MB", "5.0 GB");
        assertThat(List.of(Numbers.duration(Duration.ofSeconds(59)), Numbers.duration(Duration.ofSeconds(61)),
                Numbers.duration(Duration.ofMinutes(125)))).containsExactly("59 s", "1 min 1 s", "2 h 5 min");
    }

    private static RunSummary summary(String name, List<Checkpoint> checkpoints) {
        byte @Nullable [] png = PngWriter.png(new Canvas(4, 4, Palette.TRAINING).picture(), new LinkedHashMap<>());
        return new RunSummary(name, "ohwx", "Qwen/Qwen-Image", "cpu, 2 threads", "Nocturne 0.1.0",
                "2026-11-21 06:12 UTC", Duration.ofSeconds(97), 20, new Adapter("LoRA", 16, 16, 84), checkpoints,
                LOSSES, List.of(new RunSummary.Tool("weight decay", true, "weight_decay is 0.01"),
                        new RunSummary.Tool("a low rank", false, "network.linear is 64")),
                List.of("an ohwx on the left"), List.of(
                        new RunSummary.Remark(false, "the picture 7 was turned upright"),
                        new RunSummary.Remark(true, "the rank is large")), "network_dim: 16\n",
                png, png, null);
    }

    private static RunSummary everywhere(String text) {
        byte[] png = PngWriter.png(new Canvas(4, 4, Palette.TRAINING).picture(), new LinkedHashMap<>());
        return new RunSummary(text, text, text, text, text, text, Duration.ofSeconds(97), 20,
                new Adapter(text, 16, 16, 84), List.of(new Checkpoint(1, 0.5, 0.5, text, 1, text)), LOSSES,
                List.of(new RunSummary.Tool(text, true, text), new RunSummary.Tool(text, false, text)), List.of(text),
                List.of(new RunSummary.Remark(true, text)), text, png, png,
                new RunSummary.Probe(png, 1, 2, new RunSummary.Drift(2, 3)));
    }

    private static Document parsed(RunSummary summary) throws Exception {
        byte[] page = ReportPage.of(summary).getBytes(StandardCharsets.UTF_8);
        var factory = DocumentBuilderFactory.newInstance();
        return factory.newDocumentBuilder().parse(new ByteArrayInputStream(page));
    }

    private static Element element(Document page, String tag, String cssClass) {
        NodeList candidates = page.getElementsByTagName(tag);
        for (int i = 0; i < candidates.getLength(); i++) {
            Element candidate = (Element) candidates.item(i);
            if (candidate.getAttribute("class").equals(cssClass)) return candidate;
        }
        throw new AssertionError("no <%s class=\"%s\">".formatted(tag, cssClass));
    }
}
