package nocturne.service.source;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import nocturne.io.TransferWatch;
import nocturne.problem.UserMistake;

/// Bundles on web servers, of hosts the operator listed.
///
/// A host's name is resolved once, every address it has is checked, and the connection goes to one of those very
/// addresses: whoever answers for the name may not change the answer in between. The certificate must still be the
/// name's. Redirects are not followed, proxies not asked.
@Singleton
final class WebSource {
    private final SourceConfig config;
    private final Hosts hosts;
    private final NameLookup lookup;
    private final SSLContext tls;

    @Inject
    WebSource(SourceConfig config) throws NoSuchAlgorithmException {
        this(config, NameLookup::system, SSLContext.getDefault());
    }

    WebSource(SourceConfig config, NameLookup lookup, SSLContext tls) {
        this.config = config;
        this.hosts = Hosts.of(config);
        this.lookup = lookup;
        this.tls = tls;
    }

    Path fetch(URI uri, String sha256, Path into) {
        Hosts.Host host = hosts.of(uri);
        List<InetAddress> addresses = checkedAddresses(uri, host);
        Connection connection = new Connection();
        try (connection;
                TransferWatch watch = new TransferWatch(config.bounds(), connection)) {
            try {
                connection.open(addresses, host.port(), config.patience());
                Socket socket = secure(uri) ? secured(connection.socket(), host) : connection.socket();
                return receive(uri, host, socket, watch, into, new Receipt(uri, sha256, config.maxBytes()));
            } catch (IOException e) {
                if (!isUntrusted(e)) throw Refusals.broken(uri, watch, e);
                throw Refusals.refused(uri, "is on a server whose certificate cannot be trusted: " + e.getMessage());
            }
        }
    }

    private List<InetAddress> checkedAddresses(URI uri, Hosts.Host host) {
        try {
            List<InetAddress> addresses = lookup.of(host.name());
            for (InetAddress address : addresses) {
                boolean allowed = switch (Addresses.kindOf(address)) {
                    case PUBLIC -> true;
                    case INNER -> host.isInternal();
                    case NEVER -> false;
                };
                if (!allowed) throw inner(uri, address);
            }
            return addresses;
        } catch (UnknownHostException e) {
            throw Refusals.unreachable(uri, "the name of its host cannot be resolved", e);
        }
    }

    private static UserMistake inner(URI uri, InetAddress address) {
        return Refusals.refused(uri, "leads to %s, which is not a public address; where that is meant, the operator"
                .formatted(address.getHostAddress()) + " lists the host in nocturne.sources.internal-hosts");
    }

    private Path receive(URI uri, Hosts.Host host, Socket socket, TransferWatch watch, Path into,
            Receipt receipt) throws IOException {
        String name = uri.getPort() < 0 ? host.name() : host.name() + ":" + host.port();
        InputStream in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
        HttpAnswer answer = HttpAnswer.get(uri, name, in, socket.getOutputStream());
        requireZip(uri, answer);
        return receipt.write(answer.body(), into, watch::moved);
    }

    private static boolean secure(URI uri) {
        return uri.getScheme().equalsIgnoreCase("https");
    }

    private static boolean isUntrusted(IOException failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof GeneralSecurityException) return true;
        }
        return false;
    }

    /// @throws IOException if the handshake fails, or the certificate is not the host's
    private SSLSocket secured(Socket socket, Hosts.Host host) throws IOException {
        SSLSocket secured = (SSLSocket) tls.getSocketFactory().createSocket(socket, host.name(), host.port(), true);
        SSLParameters parameters = secured.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        secured.setSSLParameters(parameters);
        secured.startHandshake();
        return secured;
    }

    private void requireZip(URI uri, HttpAnswer answer) {
        int status = answer.status();
        if (status >= 300 && status < 400) {
            throw Refusals.refused(uri, "is redirected, which is not followed; give the final address");
        }
        if (status >= 500 || status == 408 || status == 425 || status == 429) {
            throw Refusals.unreachable(uri, "the server answers with status " + status, null);
        }
        if (status != 200) throw Refusals.unreadable(uri, "the server answers with status " + status);
        String coding = answer.headers().getOrDefault("content-encoding", "identity");
        if (!coding.equalsIgnoreCase("identity")) {
            throw Refusals.unreadable(uri, "the server insists on packing it again");
        }
        // A bundle that is announced as too large is not even begun.
        if (answer.announcedBytes() > config.maxBytes()) throw Refusals.tooLarge(uri, config.maxBytes());
    }
}
