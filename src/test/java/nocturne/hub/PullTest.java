package nocturne.hub;

import static nocturne.hub.FakeHub.cutAfter;
import static nocturne.hub.FakeHub.status;
import static nocturne.hub.FakeHub.wrong;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import nocturne.hub.FakeHub.Asked;
import nocturne.problem.Backoff;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A small pipeline is fetched from a hub on this machine, with everything that goes wrong on the way.
final class PullTest {
    private static final String SHARD = "transformer/diffusion_pytorch_model-00002-of-00003.safetensors";

    @TempDir
    private Path scratch;

    private final FakeHub hub = new FakeHub().withPipeline();
    private final List<Duration> waits = new CopyOnWriteArrayList<>();
    private final Told told = new Told();
    private Path folder = Path.of("");

    @BeforeEach
    void place() throws IOException {
        folder = scratch.toRealPath().resolve("models/Tiny");
    }

    @AfterEach
    void close() {
        hub.close();
    }

    @Test
    void whatAPipelineNeedsIsFetchedAndNothingElse() throws IOException {
        hub.with("transformer/diffusion_pytorch_model.fp16.safetensors", FakeHub.bytes(5000, 7))
                .with("vae/diffusion_pytorch_model.bin", FakeHub.bytes(5000, 8))
                .with("text_encoder/model.fp16.safetensors", FakeHub.bytes(5000, 9))
                .with("onnx/model.onnx", FakeHub.bytes(5000, 9)).with(".gitattributes", "x");
        pull().run();
        Map<String, byte[]> expected = new TreeMap<>(hub.files());
        expected.keySet().removeIf(path -> path.contains("fp16") || path.endsWith(".bin") || path.contains("onnx")
                || path.equals("README.md") || path.equals(".gitattributes"));
        assertThat(everythingIn(folder)).containsExactlyInAnyOrderElementsOf(expected.keySet());
        for (String path : expected.keySet()) {
            assertThat(folder.resolve(path)).as(path).hasBinaryContent(hub.content(path));
        }
        assertThat(Pipeline.missing(folder)).isEmpty();
        assertThat(told.bytes).isEqualTo(expected.values().stream().mapToLong(content -> content.length).sum());
        assertThat(everythingIn(folder.getParent())).as("nothing is left beside it").allMatch(path ->
                path.startsWith("Tiny/") || path.equals(".Tiny.lock"));
    }

    @Test
    void theSecondPullAsksNobody() {
        pull().run();
        int before = hub.asked().size();
        pull().run();
        assertThat(hub.asked()).hasSize(before);
        assertThat(told.notices).anyMatch(text -> text.contains("is there already, at commit 0123456789ab"));
    }

    @Test
    void aFileThatIsCutGoesOnWhereItBrokeOff() {
        hub.failing(SHARD, cutAfter(70_000), cutAfter(50_000), cutAfter(0));
        pull().run();
        assertThat(folder.resolve(SHARD)).hasBinaryContent(hub.content(SHARD));
        List<String> ranges = hub.asked("store", SHARD).stream().map(Asked::range).toList();
        assertThat(ranges).hasSize(4).first().isEqualTo("");
        assertThat(ranges.subList(1, 4)).allMatch(range -> range.matches("bytes=[1-9]\\d*-"));
        assertThat(ranges.get(3)).as("a try that brought nothing").isEqualTo(ranges.get(2));
    }

    @Test
    void aServerThatKnowsNoRangesSendsItFromTheBeginning() {
        hub.failing(SHARD, cutAfter(70_000), (exchange, _) -> {
            byte[] content = hub.content(SHARD);
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content);
            return true;
        });
        pull().run();
        assertThat(folder.resolve(SHARD)).hasBinaryContent(hub.content(SHARD));
    }

    @Test
    void theNextPullGoesOnWhereThisOneGaveUp() throws IOException {
        hub.failing(SHARD, cutAfter(70_000), status(503), status(503), status(503));
        assertSick(pull(), "HUB_UNREACHABLE");
        assertThat(folder).as("not whole, so not there").doesNotExist();
        List<Asked> before = hub.asked("store", "");
        pull().run();
        List<Asked> after = hub.asked("store", "").subList(before.size(), hub.asked("store", "").size());
        assertThat(after).filteredOn(each -> each.path().endsWith(SHARD)).singleElement()
                .satisfies(each -> assertThat(each.range()).matches("bytes=[1-9]\\d*-"));
        assertThat(after).as("what was whole is not fetched again")
                .noneMatch(each -> each.path().endsWith("vae/diffusion_pytorch_model.safetensors"));
        assertThat(everythingIn(folder)).noneMatch(path -> path.endsWith(".part"));
    }

    @Test
    void partsOfAnotherCommitAreNotGoneOnWith() throws IOException {
        hub.failing(SHARD, cutAfter(70_000), status(503), status(503), status(503));
        assertSick(pull(), "HUB_UNREACHABLE");
        hub.at("f".repeat(40)).with(SHARD, FakeHub.bytes(180_000, 99)).files()
                .remove("processor/preprocessor_config.json");
        pull().run();
        assertThat(folder.resolve(SHARD)).hasBinaryContent(hub.content(SHARD));
        assertThat(everythingIn(folder)).noneMatch(path -> path.endsWith(".part") || path.contains("processor"));
    }

    @Test
    void aWrongFileIsFetchedOnceMoreAndThenGivenUp() {
        hub.failing(SHARD, wrong());
        pull().run();
        assertThat(folder.resolve(SHARD)).hasBinaryContent(hub.content(SHARD));
        assertThat(told.notices).anyMatch(text -> text.contains("did not arrive as it should"));

        folder = folder.resolveSibling("Other");
        hub.failing(SHARD, wrong(), wrong());
        assertSick(pull(), "HASH_MISMATCH");
        assertThat(folder).doesNotExist();
    }

    /// Small files have git's hash.
    @Test
    void aWrongSmallFileIsFoundToo() {
        hub.failing("vae/config.json", wrong(), wrong());
        assertSick(pull(), "HASH_MISMATCH");
    }

    @Test
    void aBusyHubIsGivenTheTimeItAsksFor() {
        String later = DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(40));
        hub.failing("revision", status(429, "Retry-After", "17"), status(503));
        hub.failing(SHARD, status(503, "Retry-After", later));
        pull().run();
        assertThat(waits).contains(Duration.ofSeconds(17));
        assertThat(waits).anyMatch(wait -> wait.compareTo(Duration.ofSeconds(30)) > 0);
        assertThat(waits).anyMatch(wait -> wait.compareTo(Duration.ofSeconds(1)) < 0);
    }

    @Test
    void aHubThatAsksForHoursIsLeft() {
        hub.failing("revision", status(429, "Retry-After", "7200"));
        assertSick(pull(), "HUB_UNREACHABLE");
        assertThat(waits).isEmpty();
    }

    @Test
    void theTokenGoesToTheHubAndToNobodyElse() {
        HubToken token = new HubToken("hf_verysecret");
        new Pull(request(null), hub.endpoint(), token, patience(), told).run();
        assertThat(hub.asked()).filteredOn(each -> each.host().equals("hub")).isNotEmpty()
                .allMatch(each -> each.token().equals("Bearer hf_verysecret"));
        assertThat(hub.asked()).filteredOn(each -> each.host().equals("store")).isNotEmpty()
                .allMatch(each -> each.token().isEmpty());
        assertThat(token.toString()).isEqualTo("***");
    }

    @Test
    void aSignedAddressIsNeverTold() {
        hub.failing(SHARD, status(403));
        assertThatThrownBy(() -> pull().run()).isInstanceOf(UserMistake.class)
                .satisfies(mistake -> assertThat(((UserMistake) mistake).report()).contains(SHARD)
                        .doesNotContain("geheim", "signature"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "ftp://localhost/x", "file:///etc/passwd", "http://user:secret@localhost/x", "//", "%"})
    void aRedirectThatLeadsNowhereIsNotFollowed(String location) {
        FakeHub.Fault astray = status(302, "Location", location);
        hub.failing("model_index.json", astray, astray, astray, astray);
        assertSick(pull(), "HUB_ANSWER_INVALID");
    }

    @Test
    void redirectsWithoutAnEndAreLeft() {
        FakeHub.Fault round = status(307, "Location", "/api/models/Qwen/Tiny/revision/main");
        for (int i = 0; i < 50; i++) hub.failing("revision", round);
        assertSick(pull(), "HUB_ANSWER_INVALID");
        assertThat(hub.asked()).hasSizeLessThan(50);
    }

    /// A hub moves a model that was renamed.
    @Test
    void aRedirectWithinTheHubKeepsTheToken() {
        hub.failing("revision", status(307, "Location", "/api/models/Qwen/Tiny/revision/other"));
        new Pull(request(null), hub.endpoint(), new HubToken("hf_verysecret"), patience(), told).run();
        assertThat(hub.asked("hub", "/revision/other")).singleElement()
                .satisfies(each -> assertThat(each.token()).isEqualTo("Bearer hf_verysecret"));
    }

    @Test
    void aListInPagesIsReadToItsEnd() {
        hub.inPagesOf(2);
        pull().run();
        assertThat(hub.asked("hub", "/tree/" + FakeHub.COMMIT)).hasSizeGreaterThan(5);
        assertThat(folder.resolve(SHARD)).hasBinaryContent(hub.content(SHARD));
    }

    @Test
    void aListWithoutAnEndIsLeft() {
        hub.failing("tree", (exchange, _) -> {
            exchange.getResponseHeaders().set("Link", "<https://hub.example/x?recursive=true>; rel=\"next\"");
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write("[]".getBytes(StandardCharsets.US_ASCII));
            return true;
        });
        assertSick(pull(), "HUB_ANSWER_INVALID");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../escaped.json", "vae/../../escaped.json", "/tmp/escaped.json", "vae\\..\\escaped.json",
        "C:/escaped.json", "vae//x.json", "vae/./x.json", "", "vae/a\u0000b.json", "vae/\u202ejson.x", "vae/a\nb.json"})
    void aPathThatLeadsOutEndsThePullBeforeItBegins(String path) throws IOException {
        hub.withEntry(path);
        assertSick(pull(), "HUB_ANSWER_INVALID");
        assertThat(everythingIn(scratch)).allMatch(file -> file.equals("models/.Tiny.lock"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"vae/config.json", "VAE/config.json", "vae/CONFIG.json", "model_index.json"})
    void pathsThatAreOneFileSomewhereEndThePull(String path) throws IOException {
        // The second folder is not one that a pipeline has, so it is asked for by name.
        hub.withEntry(path);
        PullRequest request = new PullRequest(id(), null, folder, List.of("**.json", "*.json"), 2, 0);
        assertSick(new Pull(request, hub.endpoint(), null, patience(), told), "HUB_ANSWER_INVALID");
        assertThat(everythingIn(scratch)).allMatch(file -> file.equals("models/.Tiny.lock"));
    }

    @Test
    void aFileThatIsAlsoAFolderEndsThePull() {
        hub.withEntry("vae/config.json/more.json");
        PullRequest request = new PullRequest(id(), null, folder, List.of("**.json"), 2, 0);
        assertSick(new Pull(request, hub.endpoint(), null, patience(), told), "HUB_ANSWER_INVALID");
    }

    @Test
    void moreFilesThanAnyModelHasEndThePull() {
        for (int i = 0; i < 20_001; i++) hub.withEntry("many/%d.json".formatted(i));
        hub.inPagesOf(30_000);
        assertSick(pull(), "HUB_ANSWER_INVALID");
    }

    @Test
    void aLengthOrHashThatIsNoneEndsThePull() {
        hub.withEntry(FakeHub.entry("vae/x.json", new byte[10]).put("size", -1));
        assertSick(pull(), "HUB_ANSWER_INVALID");
    }

    @Test
    void tooLittleRoomIsFoundBeforeAnythingIsFetched() throws IOException {
        PullRequest request = new PullRequest(id(), null, folder, List.of(), 2, Long.MAX_VALUE / 2);
        assertSick(new Pull(request, hub.endpoint(), null, patience(), told), "DISK_FULL");
        assertThat(hub.asked()).noneMatch(each -> each.path().contains("/resolve/"));
        assertThat(everythingIn(scratch)).containsExactly("models/.Tiny.lock");
    }

    @Test
    void aFolderThatLacksFilesIsCompletedWhereItIs() throws IOException {
        pull().run();
        Files.delete(folder.resolve(SHARD));
        Files.delete(folder.resolve(PullRecord.NAME));
        assertThat(Pipeline.missing(folder)).containsExactly(SHARD);
        int before = hub.asked("store", "").size();
        pull().run();
        assertThat(hub.asked("store", "")).hasSize(before + 1);
        assertThat(folder.resolve(SHARD)).hasBinaryContent(hub.content(SHARD));
    }

    @Test
    void whatSomebodyChangedIsNotTouched() throws IOException {
        pull().run();
        Files.writeString(folder.resolve("vae/config.json"), "{\"mine\": true}");
        assertMistake(pull(), "MODEL_DIFFERENT");
        assertThat(folder.resolve("vae/config.json")).hasContent("{\"mine\": true}");
    }

    @Test
    void aNewerCommitIsNotMixedWithAnOlderOne() {
        pull().run();
        hub.at("f".repeat(40));
        pull().run();
        assertMistake(new Pull(request("main"), hub.endpoint(), null, patience(), told), "MODEL_DIFFERENT");
    }

    @Test
    void aModelThatIsNotThereIsTheAskersMistake() {
        PullRequest request = new PullRequest(new ModelId("Qwen", "Nothing"), null, folder, List.of(), 2, 0);
        assertMistake(new Pull(request, hub.endpoint(), null, patience(), told), "HUB_REFUSED");
    }

    @Test
    void aModelInAnotherLayoutIsNoPipeline() {
        hub.files().keySet().removeIf(path -> path.startsWith("vae/"));
        assertMistake(pull(), "HUB_REFUSED");
        assertThat(folder).doesNotExist();
    }

    @Test
    void someFilesGoWhereTheyWereAskedFor() throws IOException {
        PullRequest request = new PullRequest(id(), null, folder, List.of("vae/*"), 2, 0);
        new Pull(request, hub.endpoint(), null, patience(), told).run();
        assertThat(everythingIn(folder)).containsExactlyInAnyOrder("vae/config.json",
                "vae/diffusion_pytorch_model.safetensors");
    }

    @Test
    void onePullWorksOnAFolderAtATime() {
        List<Throwable> second = new CopyOnWriteArrayList<>();
        hub.failing("tree", (_, _) -> {
            try {
                pull().run();
            } catch (UserMistake mistake) {
                second.add(mistake);
            }
            return false;
        });
        pull().run();
        assertThat(second).singleElement().satisfies(mistake -> assertThat(((UserMistake) mistake).problems())
                .extracting(problem -> problem.code()).containsExactly("OUTPUT_IN_USE"));
        assertThat(folder.resolve(SHARD)).hasBinaryContent(hub.content(SHARD));
    }

    private Pull pull() {
        return new Pull(request(null), hub.endpoint(), null, patience(), told);
    }

    private PullRequest request(@Nullable String revision) {
        return new PullRequest(id(), revision, folder, List.of(), 3, 0);
    }

    private static ModelId id() {
        return new ModelId("Qwen", "Tiny");
    }

    private Patience patience() {
        return new Patience(new Backoff(Duration.ofMillis(1), Duration.ofMillis(2)), 4, Duration.ofMinutes(10),
                Duration.ofSeconds(20), waits::add);
    }

    private static void assertSick(Pull pull, String code) {
        assertThatThrownBy(pull::run).isInstanceOfSatisfying(SickMachine.class,
                machine -> assertThat(machine.code()).isEqualTo(code));
    }

    private static void assertMistake(Pull pull, String code) {
        assertThatThrownBy(pull::run).isInstanceOfSatisfying(UserMistake.class,
                mistake -> assertThat(mistake.problems().getFirst().code()).isEqualTo(code));
    }

    /// Every file below, but the record.
    private static List<String> everythingIn(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(Files::isRegularFile).filter(file -> !file.endsWith(PullRecord.NAME))
                    .map(file -> root.relativize(file).toString()).toList();
        }
    }

    /// Adds up what it is told.
    private static final class Told implements PullProgress {
        private final List<String> notices = new CopyOnWriteArrayList<>();
        private long bytes;

        @Override
        public void notice(String text) {
            notices.add(text);
        }

        @Override
        public synchronized void begins(int files, long all, long arrived) {
            bytes = arrived;
        }

        @Override
        public synchronized void moved(long more) {
            bytes += more;
        }

        @Override
        public void arrived(String path, long length) {
            // The tests look at the disk.
        }
    }
}
