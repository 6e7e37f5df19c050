package nocturne.service.publish;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import nocturne.io.ContentHash;
import nocturne.service.Secret;

/// Tells somebody by HTTP: the same bytes as on Kafka, signed.
///
/// Source: Standard Webhooks 1.0, symmetric signatures.
final class Webhook implements Target {
    private static final String CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8";
    private static final String SECRET_PREFIX = "whsec_";
    /// The answers that speak of this event and not of the one who gives them.
    private static final Set<Integer> ABOUT_THE_EVENT = Set.of(400, 409, 413, 415, 422);
    private static final int HASH_DIGITS = 12;

    private final URI url;
    private final byte[] key;
    private final List<String> types;
    private final Duration timeout;
    private final Duration giveUp;
    private final InstantSource clock;
    private final HttpClient client;

    /// @param types those wanted, with `*` at the end for any; none for all
    Webhook(URI url, Secret secret, List<String> types, Duration timeout, Duration giveUp, InstantSource clock) {
        this.url = url;
        this.key = keyOf(secret);
        this.types = List.copyOf(types);
        this.timeout = timeout;
        this.giveUp = giveUp;
        this.clock = clock;
        this.client = HttpClient.newBuilder().connectTimeout(timeout).followRedirects(HttpClient.Redirect.NEVER)
                .version(HttpClient.Version.HTTP_1_1).build();
    }

    /// As the specification writes them, `whsec_` and base64; anything else is taken as it is.
    private static byte[] keyOf(Secret secret) {
        String text = secret.reveal();
        if (text.startsWith(SECRET_PREFIX)) {
            try {
                return Base64.getDecoder().decode(text.substring(SECRET_PREFIX.length()));
            } catch (IllegalArgumentException notBase64) {
                // Then it only looks like one.
            }
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String name() {
        return ContentHash.ofBytes(url.toString().getBytes(StandardCharsets.UTF_8)).substring(0, HASH_DIGITS);
    }

    /// Without path and query, where some put their secrets.
    @Override
    public String description() {
        return "the webhook at " + url.getScheme() + "://" + url.getAuthority();
    }

    @Override
    public Optional<Duration> giveUp() {
        return Optional.of(giveUp);
    }

    @Override
    public boolean isOnlyForTheFuture() {
        return true;
    }

    @Override
    public void tell(Journal journal, Journal.Line line) throws Away, NotTaken, InterruptedException {
        if (!isWanted(line.line().type())) return;
        byte[] body = line.line().text().getBytes(StandardCharsets.UTF_8);
        String id = line.line().id();
        String timestamp = String.valueOf(clock.instant().getEpochSecond());
        HttpRequest request = HttpRequest.newBuilder(url).timeout(timeout)
                .header("content-type", CONTENT_TYPE)
                .header("webhook-id", id)
                .header("webhook-timestamp", timestamp)
                .header("webhook-signature", "v1," + signature(id, timestamp, body))
                .POST(HttpRequest.BodyPublishers.ofByteArray(body)).build();
        try {
            HttpResponse<InputStream> answer = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
            // What it has to say beyond that is not read: it might not end.
            answer.body().close();
            judge(answer.statusCode());
        } catch (ConnectException e) {
            throw new Away("nobody answers there", e);
        } catch (IOException e) {
            throw new Away(e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage(), e);
        }
    }

    private static void judge(int status) throws Away, NotTaken {
        if (status / 100 == 2) return;
        String why = "it answered " + status + (status / 100 == 3 ? ", and redirects are not followed" : "");
        if (ABOUT_THE_EVENT.contains(status)) throw new NotTaken(why);
        throw new Away(why);
    }

    private boolean isWanted(String type) {
        return types.isEmpty() || types.stream().anyMatch(wanted -> wanted.endsWith("*")
                ? type.startsWith(wanted.substring(0, wanted.length() - 1)) : type.equals(wanted));
    }

    private String signature(String id, String timestamp, byte[] body) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
            return Base64.getEncoder().encodeToString(mac.doFinal(body));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has HMAC-SHA256", e);
        }
    }
}
