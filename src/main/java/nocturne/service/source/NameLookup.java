package nocturne.service.source;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/// Turns a host's name into addresses.
@FunctionalInterface
interface NameLookup {
    /// @throws UnknownHostException if nobody knows it, or nobody can be asked
    List<InetAddress> of(String host) throws UnknownHostException;

    /// As the operating system does it.
    static List<InetAddress> system(String host) throws UnknownHostException {
        return List.of(InetAddress.getAllByName(host));
    }
}
