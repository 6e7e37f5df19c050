package nocturne.service.source;

import static nocturne.service.source.LoopbackServer.answering;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ServerSocketFactory;
import javax.net.ssl.SSLContext;
import nocturne.promise.Promise;
import nocturne.service.BundleSource;
import nocturne.service.source.LoopbackServer.Script;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Real servers on loopback addresses, real TLS; only the names are resolved by the test.
class WebSourceTest extends SourceCase {
    private static final String NAME = "bundles.example.test";
    private static Certificates certificates;

    private final List<LoopbackServer> servers = new ArrayList<>();
    private final AtomicInteger lookups = new AtomicInteger();

    @BeforeAll
    static void makeCertificate(@TempDir Path keys) throws Exception {
        certificates = Certificates.forName(NAME, keys);
    }

    @AfterEach
    void closeServers() throws IOException {
        for (LoopbackServer server : servers) server.close();
    }

    @Test
    void aZipArrivesFromTheCheckedAddressUnderTheNameThatWasAskedFor() throws Exception {
        LoopbackServer server = secure("127.0.0.1", answering(200, "", ZIP));
        brings(internal(server, "127.0.0.1"), https(server, "/maya%20b.zip?signature=x%2By"));
        assertThat(server.requests()).singleElement().asString().startsWith(
                "GET /maya%20b.zip?signature=x%2By HTTP/1.1\r\nHost: " + NAME + ":" + server.port() + "\r\n");
    }

    @Test
    void aBodyInPiecesAndOneThatEndsWithTheConnectionArriveToo() throws Exception {
        LoopbackServer pieces = plain("127.0.0.1", (_, out) -> {
            out.write(ascii("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
            for (int at = 0; at < ZIP.length; at += 50_000) {
                out.write(ascii("C350;name=value\r\n"));
                out.write(ZIP, at, 50_000);
                out.write(ascii("\r\n"));
            }
            out.write(ascii("0\r\n\r\n"));
        });
        brings(internal(pieces, "127.0.0.1"), http(pieces, "/maya.zip"));
        LoopbackServer unbounded = plain("127.0.0.1", (_, out) -> {
            out.write(ascii("HTTP/1.0 200 OK\r\n\r\n"));
            out.write(ZIP);
        });
        brings(internal(unbounded, "127.0.0.1"), http(unbounded, ""));
    }

    @Test
    void theNextAddressIsTriedWhenOneDoesNotAnswer() throws Exception {
        LoopbackServer server = secure("127.0.0.1", answering(200, "", ZIP));
        brings(internal(server, "127.0.0.9", "127.0.0.1"), https(server, "/"));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "https://2130706433/", "https://127.1/", "https://0177.0.0.1/", "https://0x7f000001/", "https://127.0.0.1/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://169.254.169.254/meta",
        "https://localhost/", "https://other.example.test/", "https://bundles.example.test./",
        "https://bundles.example.test.evil.test/", "https://evil-bundles.example.test/",
        "https://bundles.example.test:8443/", "https://bundles.example.test%00.evil.test/",
        "https://bundles.example.test@evil.test/", "https://evil.test%2f@bundles.example.test/",
        "https://user:hunter2secret@bundles.example.test/", "http://bundles.example.test/", "https:///maya.zip",
        "https:maya.zip", "https://bundles.example.test/a#b", "ftp://bundles.example.test/", "jar:file:/x!/y",
        "https://b\u00fcndel.example.test/", "/maya.zip"
    })
    @Promise(row = 33, fault = "numbers as hosts (decimal, octal, hexadecimal, IPv6-mapped), user@host, other ports,"
            + " schemes and look-alikes")
    void whoeverIsNotListedIsNotEvenLookedUp(String uri) {
        BundleSource source = sources(config(List.of(), List.of(NAME, "*"), List.of(), List.of()), "127.0.0.1");
        if (uri.matches("https://(other|evil-bundles|localhost|.*evil\\.test).*")) source = listed("127.0.0.1");
        String said = refuses(source, uri, Refusals.REFUSED);
        assertThat(said).doesNotContain("hunter2secret");
        assertThat(lookups).hasValue(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
        "169.254.169.254", "0.0.0.0", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fc00::1", "fd12::1", "fe80::1", "ff02::1",
        "64:ff9b::7f00:1", "2001::1", "2001:db8::1", "2002:7f00:1::", "::ffff:10.0.0.1", "::127.0.0.1"
    })
    @Promise(row = 33, fault = "a listed name that leads to a private, loopback, link-local, shared, mapped, multicast"
            + " or reserved address")
    void aListedNameMustLeadToAPublicAddress(String address) throws Exception {
        LoopbackServer server = secure("127.0.0.1", answering(200, "", ZIP));
        SourceConfig config = config(List.of(), List.of(NAME + ":" + server.port()), List.of(), List.of());
        assertThat(refuses(sources(config, address), https(server, "/"), Refusals.REFUSED))
                .contains("is not a public address");
        assertThat(refuses(sources(config, "93.184.215.14", address), https(server, "/"), Refusals.REFUSED))
                .as("one of two").contains("is not a public address");
        assertThat(server.visitors()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "::"})
    @Promise(row = 33, fault = "an internal host whose name leads to the cloud's metadata or to everybody")
    void evenAnInternalHostIsNeverLinkLocalOrEverybody(String address) throws Exception {
        LoopbackServer server = secure("127.0.0.1", answering(200, "", ZIP));
        refuses(internal(server, address), https(server, "/"), Refusals.REFUSED);
        assertThat(server.visitors()).isZero();
    }

    @Test
    @Promise(row = 33, fault = "a resolver that gives another address the second time")
    void aNameIsLookedUpOnceSoTheAnswerCannotChange() throws Exception {
        LoopbackServer server = secure("127.0.0.1", answering(200, "", ZIP));
        LoopbackServer forbidden = LoopbackServer.at("127.0.0.2", server.port(), ServerSocketFactory.getDefault(),
                answering(200, "", ZIP));
        servers.add(forbidden);
        NameLookup changing = name -> List.of(InetAddress.ofLiteral(
                lookups.getAndIncrement() == 0 ? "127.0.0.1" : "127.0.0.2"));
        brings(sources(internalConfig(server), changing, certificates.client()), https(server, "/"));
        assertThat(lookups).hasValue(1);
        assertThat(forbidden.visitors()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {301, 302, 303, 307, 308})
    @Promise(row = 33, fault = "a redirect to another loopback address and to the cloud's metadata")
    void redirectsAreNotFollowed(int status) throws Exception {
        LoopbackServer inside = plain("127.0.0.2", answering(200, "", ZIP));
        for (String target : List.of("http://127.0.0.2:" + inside.port() + "/", "http://169.254.169.254/")) {
            LoopbackServer server = secure("127.0.0.1", answering(status, "Location: " + target + "\r\n", new byte[0]));
            assertThat(refuses(internal(server, "127.0.0.1"), https(server, "/"), Refusals.REFUSED))
                    .contains("redirected");
        }
        assertThat(inside.visitors()).isZero();
    }

    @Test
    @Promise(row = 33, fault = "an endless body, and one announced as too large")
    void whatIsTooLargeIsBrokenOff() throws Exception {
        LoopbackServer endless = secure("127.0.0.1", (_, out) -> {
            out.write(ascii("HTTP/1.1 200 OK\r\n\r\n"));
            while (true) out.write(ZIP);
        });
        refuses(internal(endless, "127.0.0.1"), https(endless, "/"), Refusals.TOO_LARGE);
        LoopbackServer announced = secure("127.0.0.1", (_, out) ->
                out.write(ascii("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n")));
        refuses(internal(announced, "127.0.0.1"), https(announced, "/"), Refusals.TOO_LARGE);
    }

    @Test
    @Promise(row = 33, fault = "a handshake, headers and a body that come a byte at a time or never")
    void whoeverDawdlesIsLeft() throws Exception {
        Script silent = (_, _) -> Thread.sleep(Duration.ofMinutes(1));
        Script slowHeader = (_, out) -> drip(out, "HTTP/1.1 200 OK\r\nX-Slow: ");
        Script slowBody = (_, out) -> drip(out, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        for (Script script : List.of(silent, slowHeader, slowBody)) {
            LoopbackServer server = secure("127.0.0.1", script);
            assertThat(putsOff(hurried(server), https(server, "/"), Refusals.TOO_SLOW)).contains("sent fewer than");
        }
        // Its connections are taken, and nobody begins the handshake.
        LoopbackServer mute = plain("127.0.0.1", silent);
        putsOff(hurried(mute), https(mute, "/"), Refusals.TOO_SLOW);
    }

    @Test
    @Promise(row = 33, fault = "a body that is fast enough and never ends")
    void whatTakesTooLongAltogetherIsLeft() throws Exception {
        LoopbackServer server = secure("127.0.0.1", (_, out) -> drip(out, "HTTP/1.1 200 OK\r\n\r\n"));
        SourceConfig config = new SourceConfig(List.of(), List.of(), List.of(NAME + ":" + server.port()), List.of(),
                1 << 20, Duration.ofMillis(1500), Duration.ofMillis(700), 1);
        assertThat(putsOff(sources(config, "127.0.0.1"), https(server, "/"), Refusals.TOO_SLOW))
                .contains("took longer than");
    }

    @Test
    @Promise(row = 33, fault = "a wrong, a missing and a malformed hash")
    void whatHasAnotherHashDoesNotStay() throws Exception {
        LoopbackServer server = secure("127.0.0.1", answering(200, "", ZIP));
        BundleSource source = internal(server, "127.0.0.1");
        String other = "0".repeat(64);
        assertThat(refuses(source, https(server, "/"), other, Refusals.HASH_MISMATCH)).contains(other, SHA256);
        refuses(source, https(server, "/"), "", Refusals.REFUSED);
        refuses(source, https(server, "/"), SHA256 + "0", Refusals.REFUSED);
        assertThat(server.visitors()).as("without a hash nobody is asked").isOne();
        brings(source, https(server, "/"));
    }

    @ParameterizedTest
    @CsvSource({"400, SOURCE_UNREADABLE", "401, SOURCE_UNREADABLE", "404, SOURCE_UNREADABLE", "206, SOURCE_UNREADABLE",
            "500, SOURCE_UNREACHABLE", "503, SOURCE_UNREACHABLE", "429, SOURCE_UNREACHABLE"})
    void whatTheServerSaysDecidesWhetherToTryAgain(int status, String code) throws Exception {
        LoopbackServer server = secure("127.0.0.1", answering(status, "", ZIP));
        BundleSource source = internal(server, "127.0.0.1");
        String uri = https(server, "/a.zip?X-Signature=canary-in-query");
        String said = code.equals(Refusals.UNREADABLE) ? refuses(source, uri, code) : putsOff(source, uri, code);
        assertThat(said).contains(NAME, "/a.zip", "status " + status).doesNotContain("canary-in-query");
    }

    @Test
    void aConnectionThatBreaksIsTriedAgainLater() throws Exception {
        LoopbackServer early = secure("127.0.0.1", (_, out) -> {
            out.write(ascii("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"));
            out.write(ZIP);
        });
        putsOff(internal(early, "127.0.0.1"), https(early, "/"), Refusals.UNREACHABLE);
        LoopbackServer nonsense = secure("127.0.0.1", (_, out) -> out.write(ascii("SSH-2.0-x\r\n\r\n")));
        putsOff(internal(nonsense, "127.0.0.1"), https(nonsense, "/"), Refusals.UNREACHABLE);
        LoopbackServer endless = secure("127.0.0.1", (_, out) -> {
            while (true) out.write(ascii("HTTP/1.1 200 OK\r\nX: y\r\n"));
        });
        putsOff(internal(endless, "127.0.0.1"), https(endless, "/"), Refusals.UNREACHABLE);
        LoopbackServer gone = secure("127.0.0.1", answering(200, "", ZIP));
        gone.close();
        putsOff(internal(gone, "127.0.0.1"), https(gone, "/"), Refusals.UNREACHABLE);
        NameLookup nobodyKnows = name -> {
            throw new UnknownHostException(name);
        };
        putsOff(sources(internalConfig(gone), nobodyKnows, certificates.client()), https(gone, "/"),
                Refusals.UNREACHABLE);
    }

    @Test
    @Promise(row = 33, fault = "a certificate that nobody signed, and one for another name")
    void theCertificateMustBeTheNames() throws Exception {
        LoopbackServer server = secure("127.0.0.1", answering(200, "", ZIP));
        SourceConfig config = internalConfig(server);
        assertThat(refuses(sources(config, lookup("127.0.0.1"), SSLContext.getDefault()), https(server, "/"),
                Refusals.REFUSED)).contains("certificate");
        SourceConfig other = config(List.of(), List.of(), List.of("other.example.test:" + server.port()), List.of());
        assertThat(refuses(sources(other, "127.0.0.1"), "https://other.example.test:" + server.port() + "/",
                Refusals.REFUSED)).contains("certificate");
        assertThat(server.requests()).as("nothing was asked").isEmpty();
    }

    private static String https(LoopbackServer server, String rest) {
        return "https://" + NAME + ":" + server.port() + rest;
    }

    private static String http(LoopbackServer server, String rest) {
        return "http://" + NAME + ":" + server.port() + rest;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static void drip(OutputStream out, String start) throws IOException, InterruptedException {
        out.write(ascii(start));
        while (true) {
            out.write('x');
            out.flush();
            Thread.sleep(100);
        }
    }

    private LoopbackServer secure(String address, Script script) throws Exception {
        return added(LoopbackServer.at(address, certificates.server().getServerSocketFactory(), script));
    }

    private LoopbackServer plain(String address, Script script) {
        return added(LoopbackServer.at(address, ServerSocketFactory.getDefault(), script));
    }

    private LoopbackServer added(LoopbackServer server) {
        servers.add(server);
        return server;
    }

    private static SourceConfig internalConfig(LoopbackServer server) {
        List<String> host = List.of(NAME + ":" + server.port());
        return config(List.of(), List.of(), host, host);
    }

    private BundleSource internal(LoopbackServer server, String... addresses) {
        return sources(internalConfig(server), addresses);
    }

    private BundleSource listed(String address) {
        return sources(config(List.of(), List.of(NAME), List.of(), List.of()), address);
    }

    private BundleSource hurried(LoopbackServer server) {
        return sources(new SourceConfig(List.of(), List.of(), List.of(NAME + ":" + server.port()), List.of(),
                1 << 20, Duration.ofMinutes(1), Duration.ofMillis(700), 1000), "127.0.0.1");
    }

    private BundleSource sources(SourceConfig config, String... addresses) {
        try {
            return sources(config, lookup(addresses), certificates.client());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private NameLookup lookup(String... addresses) {
        return name -> {
            lookups.incrementAndGet();
            List<InetAddress> found = new ArrayList<>();
            for (String address : addresses) found.add(InetAddress.ofLiteral(address));
            return found;
        };
    }

    private static BundleSource sources(SourceConfig config, NameLookup lookup, SSLContext tls) {
        return new Sources(new FileSource(config, Path.of("")), new WebSource(config, lookup, tls),
                new S3Source(config, new S3Config(null, "", true, List.of(), null, null), Map.of()));
    }
}
