package nocturne.service.source;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ServerSocketFactory;

/// A server on a loopback address that says what a test wants it to, byte for byte, and remembers who came.
final class LoopbackServer implements AutoCloseable {
    private final ServerSocket listening;
    private final Script script;
    private final Thread accepting;
    private final List<Socket> visitors = new CopyOnWriteArrayList<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();

    /// What a server does once it has read the request's headers. The connection ends when it returns.
    interface Script {
        void answer(String request, OutputStream out) throws IOException, InterruptedException;
    }

    private LoopbackServer(ServerSocket listening, Script script) {
        this.listening = listening;
        this.script = script;
        this.accepting = Thread.ofVirtual().start(this::accept);
    }

    static LoopbackServer at(String address, ServerSocketFactory sockets, Script script) {
        return at(address, 0, sockets, script);
    }

    static LoopbackServer at(String address, int port, ServerSocketFactory sockets, Script script) {
        try {
            return new LoopbackServer(sockets.createServerSocket(port, 50, InetAddress.ofLiteral(address)), script);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A whole answer.
    static Script answering(int status, String headers, byte[] body) {
        return (_, out) -> {
            out.write("HTTP/1.1 %d OK\r\nContent-Length: %d\r\n%s\r\n".formatted(status, body.length, headers)
                    .getBytes(StandardCharsets.US_ASCII));
            out.write(body);
        };
    }

    int port() {
        return listening.getLocalPort();
    }

    /// How many connected, whether they said anything or not.
    int visitors() {
        return visitors.size();
    }

    /// Request lines and headers.
    List<String> requests() {
        return List.copyOf(requests);
    }

    private void accept() {
        while (true) {
            try {
                Socket visitor = listening.accept();
                visitors.add(visitor);
                Thread.ofVirtual().start(() -> serve(visitor));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket visitor) {
        try (visitor) {
            InputStream in = new BufferedInputStream(visitor.getInputStream());
            StringBuilder request = new StringBuilder();
            while (!request.toString().endsWith("\r\n\r\n")) {
                int value = in.read();
                if (value < 0) return;
                request.append((char) value);
            }
            requests.add(request.toString());
            script.answer(request.toString(), visitor.getOutputStream());
            visitor.getOutputStream().flush();
        } catch (IOException | InterruptedException visitorLeft) {
            return;
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        try {
            // Until it has left accept(), the port is open, and whoever comes at this moment is still served.
            accepting.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (Socket visitor : visitors) visitor.close();
    }
}
