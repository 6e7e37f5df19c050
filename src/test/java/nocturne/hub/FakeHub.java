package nocturne.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/// A hub on this machine with the real one's addresses and answers, and a second host (`localhost` instead of
/// `127.0.0.1`, another port) for large files, as the real one has. It remembers who asked for what.
public final class FakeHub implements AutoCloseable {
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final ObjectMapper JSON = new ObjectMapper();

    /// A file of at least so many bytes is large: it has a SHA-256 and lies on the other host.
    private static final int LARGE = 1000;

    private final HttpServer hub = server("127.0.0.1");
    private final HttpServer store = server("localhost");
    private final Map<String, byte[]> files = new LinkedHashMap<>();
    private final Map<String, Queue<Fault>> faults = new ConcurrentHashMap<>();
    private final List<Asked> asked = new CopyOnWriteArrayList<>();
    private ArrayNode more = JSON.createArrayNode();
    private String commit = COMMIT;
    private String id = "Qwen/Tiny";
    private int pageSize = 1000;

    /// A request as it came in.
    ///
    /// @param host  `hub` or `store`
    /// @param range of bytes asked for; empty for all
    /// @param token what stood in `Authorization`; empty for nothing
    public record Asked(String host, String path, String range, String token) {}

    /// Something else than the right answer; nothing more is done where it answers with true.
    public interface Fault {
        boolean answer(HttpExchange exchange, byte[] content) throws IOException;
    }

    public FakeHub() {
        hub.createContext("/", exchange -> guarded(exchange, "hub", this::answer));
        store.createContext("/", exchange -> guarded(exchange, "store", this::store));
        hub.start();
        store.start();
    }

    private static HttpServer server(String host) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName(host), 0), 0);
            server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A whole small pipeline: the transformer in three shards, the rest in one file each, and what nobody needs.
    public FakeHub withPipeline() {
        with("model_index.json", "{}");
        with("README.md", "not needed");
        for (String part : List.of("vae", "text_encoder", "transformer")) with(part + "/config.json", "{}");
        with("tokenizer/vocab.json", "{\"a\": 1}").with("scheduler/scheduler_config.json", "{}");
        with("processor/preprocessor_config.json", "{\"b\": 2}");
        with("vae/diffusion_pytorch_model.safetensors", bytes(3000, 1));
        with("text_encoder/model.safetensors", bytes(150_000, 2));
        String index = "";
        for (int i = 1; i <= 3; i++) {
            String shard = "diffusion_pytorch_model-0000%d-of-00003.safetensors".formatted(i);
            with("transformer/" + shard, bytes(200_000 + i, 10 + i));
            index += (i == 1 ? "" : ",") + "\"w%d\": \"%s\"".formatted(i, shard);
        }
        return with("transformer/diffusion_pytorch_model.safetensors.index.json", "{\"weight_map\": {" + index + "}}");
    }

    public FakeHub with(String path, String text) {
        return with(path, text.getBytes(StandardCharsets.UTF_8));
    }

    FakeHub with(String path, byte[] content) {
        files.put(path, content);
        return this;
    }

    /// Names a file in the list that nobody could ask for.
    FakeHub withEntry(String path) {
        more.add(entry(path, bytes(10, 1)));
        return this;
    }

    FakeHub withEntry(ObjectNode entry) {
        more.add(entry);
        return this;
    }

    FakeHub inPagesOf(int entries) {
        pageSize = entries;
        return this;
    }

    /// Instead of `Qwen/Tiny`.
    public FakeHub named(String newId) {
        id = newId;
        return this;
    }

    FakeHub at(String newCommit) {
        commit = newCommit;
        return this;
    }

    /// What becomes of the next request for this file, or for `revision` or `tree`; several are used one after the
    /// other.
    public FakeHub failing(String path, Fault... these) {
        faults.computeIfAbsent(path, _ -> new ArrayDeque<>()).addAll(Arrays.asList(these));
        return this;
    }

    public static Fault status(int status, String... headers) {
        return (exchange, _) -> {
            for (int i = 0; i < headers.length; i += 2) exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
            exchange.sendResponseHeaders(status, -1);
            return true;
        };
    }

    /// Ends the connection after so many bytes of the answer.
    public static Fault cutAfter(int bytes) {
        return (exchange, content) -> {
            exchange.sendResponseHeaders(from(exchange) > 0 ? 206 : 200, content.length);
            OutputStream out = exchange.getResponseBody();
            out.write(content, 0, Math.min(bytes, content.length - 1));
            out.flush();
            throw new IOException("cut");
        };
    }

    /// Other bytes of the same length.
    static Fault wrong() {
        return (exchange, content) -> {
            byte[] other = content.clone();
            other[other.length / 2] ^= 1;
            exchange.sendResponseHeaders(200, other.length);
            exchange.getResponseBody().write(other);
            return true;
        };
    }

    public Endpoint endpoint() {
        return Endpoint.of("http://127.0.0.1:" + hub.getAddress().getPort());
    }

    String storeHost() {
        return "localhost:" + store.getAddress().getPort();
    }

    public List<Asked> asked() {
        return List.copyOf(asked);
    }

    /// Requests to the host for a path that ends like this.
    public List<Asked> asked(String host, String end) {
        return asked.stream().filter(each -> each.host().equals(host) && each.path().endsWith(end)).toList();
    }

    public byte[] content(String path) {
        byte[] content = files.get(path);
        if (content == null) throw new IllegalArgumentException(path);
        return content;
    }

    Map<String, byte[]> files() {
        return files;
    }

    private interface Handler {
        void answer(HttpExchange exchange) throws IOException;
    }

    private void guarded(HttpExchange exchange, String host, Handler handler) {
        asked.add(new Asked(host, exchange.getRequestURI().getPath(), header(exchange, "Range"),
                header(exchange, "Authorization")));
        try (exchange) {
            handler.answer(exchange);
        } catch (IOException cut) {
            // The client sees its end.
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        if (path.startsWith("/api/models/" + id + "/revision/")) {
            if (fault("revision", exchange, new byte[0])) return;
            send(exchange, 200, "{\"sha\": \"%s\"}".formatted(commit).getBytes(StandardCharsets.UTF_8));
        } else if (path.equals("/api/models/" + id + "/tree/" + commit)) {
            if (!fault("tree", exchange, new byte[0])) tree(exchange);
        } else if (path.startsWith("/" + id + "/resolve/" + commit + "/")) {
            resolve(exchange, path.substring(("/" + id + "/resolve/" + commit + "/").length()));
        } else {
            exchange.sendResponseHeaders(404, -1);
        }
    }

    private void tree(HttpExchange exchange) throws IOException {
        ArrayNode all = JSON.createArrayNode();
        all.addObject().put("type", "directory").put("path", "transformer").put("size", 0).put("oid", "x");
        files.forEach((path, content) -> all.add(entry(path, content)));
        all.addAll(more);
        String query = String.valueOf(exchange.getRequestURI().getQuery());
        int from = query.contains("cursor=") ? Integer.parseInt(query.replaceFirst(".*cursor=(\\d+).*", "$1")) : 0;
        ArrayNode page = JSON.createArrayNode();
        for (int i = from; i < Math.min(all.size(), from + pageSize); i++) page.add(all.get(i));
        if (from + pageSize < all.size()) {
            // As the real one: its own name, whoever asked under which.
            exchange.getResponseHeaders().set("Link", "<https://hub.example%s?recursive=true&cursor=%d>; rel=\"next\""
                    .formatted(exchange.getRequestURI().getPath(), from + pageSize));
        }
        send(exchange, 200, JSON.writeValueAsBytes(page));
    }

    private void resolve(HttpExchange exchange, String path) throws IOException {
        byte[] content = files.get(path);
        if (content == null) {
            exchange.sendResponseHeaders(404, -1);
        } else if (content.length >= LARGE) {
            exchange.getResponseHeaders().set("Location", "http://%s/store/%s?signature=geheim"
                    .formatted(storeHost(), path));
            exchange.sendResponseHeaders(302, -1);
        } else if (!fault(path, exchange, content)) {
            send(exchange, 200, content);
        }
    }

    private void store(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath().substring("/store/".length());
        byte[] content = content(path);
        int from = from(exchange);
        byte[] rest = Arrays.copyOfRange(content, from, content.length);
        if (fault(path, exchange, rest)) return;
        if (from > 0) {
            exchange.getResponseHeaders().set("Content-Range",
                    "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
        }
        send(exchange, from > 0 ? 206 : 200, rest);
    }

    private boolean fault(String path, HttpExchange exchange, byte[] content) throws IOException {
        Queue<Fault> queue = faults.get(path);
        if (queue == null) return false;
        @Nullable Fault next;
        synchronized (queue) {
            next = queue.poll();
        }
        return next != null && next.answer(exchange, content);
    }

    private static int from(HttpExchange exchange) {
        String range = header(exchange, "Range");
        return range.isEmpty() ? 0 : Integer.parseInt(range.replaceFirst("bytes=(\\d+)-", "$1"));
    }

    private static String header(HttpExchange exchange, String name) {
        String value = exchange.getRequestHeaders().getFirst(name);
        return value == null ? "" : value;
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    static ObjectNode entry(String path, byte[] content) {
        ObjectNode entry = JSON.createObjectNode().put("type", "file").put("path", path).put("size", content.length);
        byte[] git = ("blob " + content.length + "\0").getBytes(StandardCharsets.UTF_8);
        byte[] whole = Arrays.copyOf(git, git.length + content.length);
        System.arraycopy(content, 0, whole, git.length, content.length);
        if (content.length < LARGE) return entry.put("oid", hash("SHA-1", whole));
        entry.put("oid", hash("SHA-1", path.getBytes(StandardCharsets.UTF_8)));
        entry.putObject("lfs").put("oid", hash("SHA-256", content)).put("size", content.length).put("pointerSize", 134);
        return entry;
    }

    private static String hash(String algorithm, byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Bytes that differ everywhere.
    static byte[] bytes(int length, int seed) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) bytes[i] = (byte) ((i * 31 + i / 251 + seed * 101) >>> 1);
        return bytes;
    }

    @Override
    public void close() {
        hub.stop(0);
        store.stop(0);
    }
}
