package nocturne.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.ProxySelector;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// Asks a hub. Follows redirects itself, because the token must not: large files lie on other hosts, behind addresses
/// that are signed. Proxies are those of Java's own properties (`https.proxyHost`, ...).
final class Hub implements AutoCloseable {
    private static final int MOST_REDIRECTS = 8;
    private static final Duration CONNECT = Duration.ofSeconds(30);

    private final Endpoint endpoint;
    private final @Nullable HubToken token;
    private final Patience patience;
    private final HttpClient client;

    /// @param token shown to the endpoint; null for none
    Hub(Endpoint endpoint, @Nullable HubToken token, Patience patience) {
        this.endpoint = endpoint;
        this.token = token;
        this.patience = patience;
        // Version 1.1: each file has a connection of its own, and none waits for another's window.
        this.client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT)
                .followRedirects(HttpClient.Redirect.NEVER).proxy(ProxySelector.getDefault()).build();
    }

    Endpoint endpoint() {
        return endpoint;
    }

    Patience patience() {
        return patience;
    }

    /// The answer to a GET, whose status is 200 or 206; its body must be closed.
    ///
    /// @param address at the endpoint
    /// @param from    of the content, in bytes: more than 0 asks for the rest only
    /// @param what    is asked for, to be named to a person
    /// @throws IOException if it should be asked again
    /// @throws UserMistake `HUB_REFUSED` if that would change nothing
    HttpResponse<InputStream> get(URI address, long from, String what) throws IOException {
        URI uri = address;
        for (int hop = 0; hop <= MOST_REDIRECTS; hop++) {
            HttpResponse<InputStream> answer = send(request(uri, from));
            int status = answer.statusCode();
            if (status == 200 || status == 206) return answer;
            answer.body().close();
            if (status < 300 || status >= 400) throw refused(answer, what);
            uri = redirected(uri, answer);
        }
        throw new HubAnswerInvalid("redirects without an end");
    }

    private HttpRequest request(URI uri, long from) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .header("User-Agent", "nocturne").header("Accept-Encoding", "identity");
        if (from > 0) request.header("Range", "bytes=" + from + "-");
        HubToken shown = token;
        if (shown != null && endpoint.mayHaveToken(uri)) request.header("Authorization", "Bearer " + shown.reveal());
        return request.build();
    }

    /// Bounded by ourselves: a timeout of the request's own might count the body too, which takes hours.
    private HttpResponse<InputStream> send(HttpRequest request) throws IOException {
        CompletableFuture<HttpResponse<InputStream>> answer = client.sendAsync(request, BodyHandlers.ofInputStream());
        try {
            return answer.get(CONNECT.plus(patience.silence()).toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw new IOException(request.uri().getHost() + " does not answer", e);
        } catch (InterruptedException e) {
            answer.cancel(true);
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            // Its words may hold the address, and the address a signature.
            throw new IOException("%s cannot be reached (%s)".formatted(request.uri().getHost(),
                    cause == null ? "no reason" : cause.getClass().getSimpleName()), e);
        }
    }

    private URI redirected(URI from, HttpResponse<?> answer) throws HubAnswerInvalid {
        String location = answer.headers().firstValue("Location").orElse("");
        try {
            URI to = from.resolve(new URI(location));
            if (!location.isEmpty() && endpoint.mayLeadTo(to)) return to;
        } catch (URISyntaxException noAddress) {
            // Told below.
        }
        throw new HubAnswerInvalid("redirects to where nobody should go");
    }

    private IOException refused(HttpResponse<?> answer, String what) {
        int status = answer.statusCode();
        if (status == 408 || status == 425 || status == 429 || status >= 500) {
            return new HubBusy(status, retryAfter(answer));
        }
        if (status == 416) return new HubAnswerInvalid("has less of the file than has arrived");
        String host = endpoint.address().getHost();
        throw new UserMistake("HUB_REFUSED", what, switch (status) {
            case 401 -> token == null
                    ? "is not at %s, or only for whoever may have it: then put a token into HF_TOKEN.".formatted(host)
                    : "is not at %s, or not for this HF_TOKEN.".formatted(host);
            case 403 -> "may not be had with this HF_TOKEN; at %s, accept the model's conditions.".formatted(host);
            case 404 -> "is not at %s. Look at the spelling of id and revision.".formatted(host);
            default -> "is refused by %s with status %d.".formatted(host, status);
        });
    }

    private static @Nullable Duration retryAfter(HttpResponse<?> answer) {
        String text = answer.headers().firstValue("Retry-After").orElse("").strip();
        if (text.matches("\\d{1,9}")) return Duration.ofSeconds(Long.parseLong(text));
        try {
            ZonedDateTime time = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME);
            Duration wait = Duration.between(ZonedDateTime.now(time.getZone()), time);
            return wait.isNegative() ? Duration.ZERO : wait;
        } catch (DateTimeException notSaid) {
            return null;
        }
    }

    /// Asks until there is an answer, or the patience is over.
    ///
    /// @param what is asked for
    <T> T patiently(String what, Question<T> question) {
        for (int failures = 1;; failures++) {
            try {
                return question.ask();
            } catch (IOException e) {
                patience.failed(failures, what, e);
            }
        }
    }

    /// Something that is asked of a hub.
    @FunctionalInterface
    interface Question<T> {
        T ask() throws IOException;
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
