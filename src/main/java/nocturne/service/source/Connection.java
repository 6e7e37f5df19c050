package nocturne.service.source;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.List;

/// A connection that anybody may close at any time, also while it is being opened.
final class Connection implements Closeable {
    private Socket socket = new Socket(Proxy.NO_PROXY);
    private boolean closed;

    /// Connects to the first of these addresses that answers.
    void open(List<InetAddress> addresses, int port, Duration patience) throws IOException {
        int timeout = (int) Math.min(Integer.MAX_VALUE, Math.max(1, patience.toMillis()));
        IOException failure = new SocketException("no address");
        for (InetAddress address : addresses) {
            try {
                fresh().connect(new InetSocketAddress(address, port), timeout);
                return;
            } catch (IOException e) {
                failure = e;
            }
        }
        throw failure;
    }

    synchronized Socket socket() {
        return socket;
    }

    private synchronized Socket fresh() throws IOException {
        if (closed) throw new SocketException("closed");
        socket.close();
        socket = new Socket(Proxy.NO_PROXY);
        return socket;
    }

    @Override
    public synchronized void close() {
        closed = true;
        try {
            socket.close();
        } catch (IOException alreadyBroken) {
            return;
        }
    }
}
