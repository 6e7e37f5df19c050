package nocturne.service.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.job.JobId;
import nocturne.problem.Backoff;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import nocturne.service.Secret;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WebhookTest {
    private static final Backoff IMPATIENT = new Backoff(Duration.ofMillis(10), Duration.ofMillis(50));
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");
    private static final String KEY = "a key that signs webhooks";
    private static final Secret SECRET = new Secret(KEY);

    @TempDir
    Path home;
    Desk desk;
    HttpServer server;
    final List<EventLine> heard = new CopyOnWriteArrayList<>();
    final List<Relay> relays = new ArrayList<>();
    volatile int status = 204;

    @BeforeEach
    void open() throws IOException {
        desk = new Desk(home);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/hook", this::verify);
        server.start();
    }

    @AfterEach
    void close() {
        server.stop(0);
        relays.forEach(Relay::close);
        desk.close();
    }

    /// What a reader does who follows the specification: check the signature, then believe.
    private void verify(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        var headers = exchange.getRequestHeaders();
        String signed = headers.getFirst("webhook-id") + "." + headers.getFirst("webhook-timestamp") + ".";
        boolean genuine = headers.getFirst("webhook-signature").equals("v1," + hmac(KEY, signed, body))
                && headers.getFirst("webhook-timestamp").equals(String.valueOf(NOON.getEpochSecond()))
                && headers.getFirst("content-type").startsWith("application/cloudevents+json")
                && exchange.getRequestMethod().equals("POST");
        EventLine line = EventLine.parse(new String(body, StandardCharsets.UTF_8)).orElseThrow();
        genuine &= line.id().equals(headers.getFirst("webhook-id"));
        if (genuine && status == 204) heard.add(line);
        if (status / 100 == 3) exchange.getResponseHeaders().set("location", "http://127.0.0.1:1/");
        exchange.sendResponseHeaders(genuine ? status : 401, -1);
        exchange.close();
    }

    private static String hmac(String key, String signed, byte[] body) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key.getBytes(StandardCharsets.ISO_8859_1), "HmacSHA256"));
            mac.update(signed.getBytes(StandardCharsets.UTF_8));
            return Base64.getEncoder().encodeToString(mac.doFinal(body));
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private Webhook hook(String url, String... types) {
        return new Webhook(URI.create(url), SECRET, List.of(types), Duration.ofSeconds(5), Duration.ofDays(3),
                InstantSource.fixed(NOON));
    }

    private String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/hook";
    }

    private Relay relay(Webhook hook) {
        Relay relay = new Relay(hook, (_, _) -> { }, IMPATIENT, 2, InstantSource.system());
        relays.add(relay);
        return relay;
    }

    private Journal journal(JobId id) {
        return new Journal(id.text(), desk.ledger.work().journal(id), false);
    }

    @Test
    void theSameBytesArriveSignedAndInOrder() {
        Relay relay = relay(hook(url()));
        JobId id = desk.run("maya-1");
        for (int i = 0; i < 20; i++) desk.ledger.record(id, new Event.Preparing("latents", i, 20));
        relay.grown(journal(id));
        await().until(() -> relay.isIdle() && relay.lag() == 0);
        assertThat(heard).extracting(EventLine::text)
                .containsExactlyElementsOf(desk.journal(id).stream().map(EventLine::text).toList());
    }

    /// The specification's example, with its key in the form that it gives keys.
    @Test
    void aKeyInTheSpecificationsFormIsDecoded() throws Exception {
        byte[] raw = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};
        Secret secret = new Secret("whsec_" + Base64.getEncoder().encodeToString(raw));
        List<String> signatures = new CopyOnWriteArrayList<>();
        server.createContext("/raw", exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            String signed = exchange.getRequestHeaders().getFirst("webhook-id") + "." + NOON.getEpochSecond() + ".";
            signatures.add(exchange.getRequestHeaders().getFirst("webhook-signature"));
            signatures.add("v1," + hmac(new String(raw, StandardCharsets.ISO_8859_1), signed, body));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        JobId id = desk.run("maya-1");
        Journal.Line line = journal(id).after(Cursor.START).getFirst();
        new Webhook(URI.create(url().replace("/hook", "/raw")), secret, List.of(), Duration.ofSeconds(5),
                Duration.ofDays(3), InstantSource.fixed(NOON)).tell(journal(id), line);
        assertThat(signatures).hasSize(2);
        assertThat(signatures.getFirst()).isEqualTo(signatures.getLast());
    }

    @Test
    void onlyTheWantedTypesAreTold() {
        Relay relay = relay(hook(url(), "nocturne.job.started.v1", "nocturne.sample.*"));
        JobId id = desk.run("maya-1");
        desk.sample(id, 5, "a picture");
        desk.checkpoint(id, 5, "five");
        desk.takeOver(id);
        relay.grown(journal(id));
        await().until(() -> relay.isIdle() && relay.lag() == 0);
        assertThat(heard).extracting(EventLine::type)
                .containsExactly("nocturne.job.started.v1", "nocturne.sample.written.v1");
    }

    @Test
    @Promise(row = 40, fault = "a webhook that answers with errors and redirects for a while")
    void errorsAndRedirectsAreTriedAgainUntilItTakesThem() {
        status = 503;
        Relay relay = relay(hook(url()));
        JobId id = desk.run("maya-1");
        relay.grown(journal(id));
        await().until(() -> relay.failed() > 2 && relay.isAway());
        status = 302;
        long before = relay.failed();
        await().until(() -> relay.failed() > before + 2);
        status = 422;
        await().until(() -> !relay.isAway());
        status = 204;
        await().until(() -> relay.isIdle() && relay.lag() == 0);
        Listener.assertComplete(heard, Map.of("maya-1", desk.journal(id)));
        assertThat(heard).hasSize(2);
    }

    /// A port where nobody listens, and one where somebody takes the connection and never says a word.
    @Test
    void aDeadHookHoldsUpNobodyElse() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Relay dead = relay(hook("http://127.0.0.1:1/hook"));
            Relay mute = relay(hook("http://127.0.0.1:" + silent.getLocalPort() + "/hook"));
            Relay alive = relay(hook(url()));
            JobId id = desk.run("maya-1");
            for (Relay relay : List.of(dead, mute, alive)) relay.grown(journal(id));
            await().until(() -> alive.isIdle() && alive.lag() == 0);
            assertThat(heard).hasSize(2);
            await().until(dead::isAway);
            assertThat(dead.lag()).isEqualTo(2);
            assertThat(mute.lag()).isEqualTo(2);
        }
    }

    @Test
    void whatCannotBeAWebhookIsToldByItsKey() {
        for (String url : new String[] {"", "ftp://a/b", "https://user:canary-password@a/b", "https:///b", ":"}) {
            assertThatThrownBy(() -> new WebhookConfig(1, url, null, "KEY", null, Duration.ofSeconds(1),
                    Duration.ofDays(1))).isInstanceOf(UserMistake.class)
                    .hasMessageStartingWith("nocturne.webhooks[1].url: is not allowed")
                    .hasMessageNotContaining("canary");
        }
        assertThatThrownBy(() -> new WebhookConfig(0, "https://a/b", null, null, null, Duration.ofSeconds(1),
                Duration.ofDays(1))).isInstanceOf(UserMistake.class).hasMessageContaining("secret-env");
    }
}
