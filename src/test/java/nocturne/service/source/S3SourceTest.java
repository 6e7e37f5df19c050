package nocturne.service.source;

import static nocturne.service.source.LoopbackServer.answering;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.net.ServerSocketFactory;
import nocturne.promise.Promise;
import nocturne.service.BundleSource;
import nocturne.service.source.LoopbackServer.Script;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// The real client against a small store on loopback, which checks the signature by itself.
class S3SourceTest extends SourceCase {
    private static final String ID = "AKIDEXAMPLE";
    private static final String SECRET = "canary-wJalrXUtnFEMI-K7MDENG";
    private static final Map<String, String> KEY = Map.of("AWS_ACCESS_KEY_ID", ID, "AWS_SECRET_ACCESS_KEY", SECRET);

    private final List<LoopbackServer> servers = new ArrayList<>();

    @AfterEach
    void closeServers() throws IOException {
        for (LoopbackServer server : servers) server.close();
    }

    @Test
    void anObjectArrivesByARequestSignedWithTheKeyFromTheEnvironment() throws Exception {
        LoopbackServer store = store(S3SourceTest::serveIfSigned);
        brings(source(store, KEY), "s3://bundles/team/maya%20b.zip");
        assertThat(store.requests()).singleElement().asString().startsWith("GET /bundles/team/maya%20b.zip HTTP/1.1");
    }

    @Test
    void theKeyMayLieInFiles() throws Exception {
        LoopbackServer store = store(S3SourceTest::serveIfSigned);
        Path id = Files.writeString(folder.resolve("id"), ID + "\n");
        Path key = Files.writeString(folder.resolve("key"), SECRET + "\n");
        brings(source(config(store, id, key), Map.of()), "s3://bundles/team/maya%20b.zip");
    }

    @Test
    @Promise(row = 36, fault = "a canary as the key to a store that refuses it, breaks or is not there")
    void theKeyIsInNoMessage() throws Exception {
        LoopbackServer store = store(S3SourceTest::serveIfSigned);
        String wrong = SECRET + "-wrong";
        Map<String, String> key = Map.of("AWS_ACCESS_KEY_ID", ID, "AWS_SECRET_ACCESS_KEY", wrong);
        String refused = refuses(source(store, key), "s3://bundles/team/maya%20b.zip", Refusals.UNREADABLE);
        assertThat(refused).contains("may not read it (status 403)");
        LoopbackServer broken = store(answering(500, "", wrong.getBytes(StandardCharsets.UTF_8)));
        String unreachable = putsOff(source(broken, key), "s3://bundles/a.zip", Refusals.UNREACHABLE);
        broken.close();
        String gone = putsOff(source(broken, key), "s3://bundles/a.zip", Refusals.UNREACHABLE);
        String half = putsOff(source(broken, Map.of("AWS_SECRET_ACCESS_KEY", wrong)), "s3://bundles/a.zip",
                "SOURCE_MISCONFIGURED");
        String unreadable = putsOff(source(config(broken, folder.resolve("none"), folder.resolve("none")), Map.of()),
                "s3://bundles/a.zip", "SOURCE_MISCONFIGURED");
        assertThat(List.of(refused, unreachable, gone, half, unreadable)).noneMatch(said -> said.contains("canary"));
        S3Config halfInFiles = config(store, folder.resolve("id"), null);
        putsOff(source(halfInFiles, Map.of()), "s3://bundles/a.zip", "SOURCE_MISCONFIGURED");
        assertThat(S3Credentials.of(config(store, null, null), key).orElseThrow().toString()).doesNotContain("canary");
    }

    @Test
    void withoutAKeyRequestsAreNotSigned() throws Exception {
        LoopbackServer store = store((request, out) -> {
            boolean signed = SignedRequest.of(request).isSigned();
            answering(signed ? 403 : 200, "", signed ? new byte[0] : ZIP).answer(request, out);
        });
        brings(source(store, Map.of()), "s3://bundles/maya.zip");
    }

    @Test
    @Promise(row = 33, fault = "s3: addresses of buckets that are not listed, and of no bucket at all")
    void onlyListedBucketsAreAsked() throws Exception {
        LoopbackServer store = store(answering(200, "", ZIP));
        for (String uri : List.of("s3://secrets/maya.zip", "s3://bundles", "s3://bundles/", "s3:///maya.zip",
                "s3://user@bundles/maya.zip", "s3://bundles:80/maya.zip", "s3://BUNDLES/maya.zip",
                "s3://bundles/maya.zip?versionId=1", "s3://..%2fbundles/maya.zip", "s3:bundles/maya.zip")) {
            refuses(source(store, KEY), uri, Refusals.REFUSED);
        }
        assertThat(store.visitors()).isZero();
    }

    @Test
    @Promise(row = 33, fault = "a store that redirects, sends too much, too slowly, or another object")
    void theRulesOfOtherSourcesHoldForStoresToo() throws Exception {
        LoopbackServer inside = store(answering(200, "", ZIP));
        LoopbackServer redirecting = store(answering(307,
                "Location: http://127.0.0.1:" + inside.port() + "/bundles/maya.zip\r\n", new byte[0]));
        refuses(source(redirecting, KEY), "s3://bundles/maya.zip", Refusals.REFUSED);
        assertThat(inside.visitors()).isZero();
        LoopbackServer endless = store((_, out) -> {
            out.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            while (true) out.write(ZIP);
        });
        refuses(source(endless, KEY), "s3://bundles/maya.zip", Refusals.TOO_LARGE);
        LoopbackServer slow = store((_, out) -> {
            out.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            out.flush();
            Thread.sleep(Duration.ofMinutes(1));
        });
        putsOff(source(slow, KEY), "s3://bundles/maya.zip", Refusals.TOO_SLOW);
        LoopbackServer broken = store((_, out) ->
                out.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx".getBytes(StandardCharsets.US_ASCII)));
        putsOff(source(broken, KEY), "s3://bundles/maya.zip", Refusals.UNREACHABLE);
        LoopbackServer other = store(answering(200, "", new byte[10]));
        refuses(source(other, KEY), "s3://bundles/maya.zip", Refusals.HASH_MISMATCH);
        LoopbackServer none = store(answering(404, "", new byte[0]));
        refuses(source(none, KEY), "s3://bundles/maya.zip", Refusals.UNREADABLE);
    }

    private static void serveIfSigned(String request, OutputStream out)
            throws IOException, InterruptedException {
        boolean ours = SignedRequest.of(request).isSignedWith(ID, SECRET, "eu-test-1");
        answering(ours ? 200 : 403, "", ours ? ZIP : new byte[0]).answer(request, out);
    }

    private LoopbackServer store(Script script) {
        LoopbackServer server = LoopbackServer.at("127.0.0.1", ServerSocketFactory.getDefault(), script);
        servers.add(server);
        return server;
    }

    private static S3Config config(LoopbackServer store, Path id, Path key) {
        return new S3Config(URI.create("http://127.0.0.1:" + store.port()), "eu-test-1", true, List.of("bundles"), id,
                key);
    }

    private static BundleSource source(LoopbackServer store, Map<String, String> environment) throws Exception {
        return source(config(store, null, null), environment);
    }

    private static BundleSource source(S3Config config, Map<String, String> environment) throws Exception {
        SourceConfig limits = new SourceConfig(List.of(), List.of(), List.of(), List.of(), 1 << 20,
                Duration.ofSeconds(30), Duration.ofSeconds(3), 100);
        return new Sources(new FileSource(limits, Path.of("")), new WebSource(limits),
                new S3Source(limits, config, environment));
    }
}
