package nocturne.service.source;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.List;

/// Which numbers lead out into the world, which into somebody's own network, and which nowhere good.
///
/// Source: the IANA special-purpose address registries for IPv4 and IPv6.
final class Addresses {
    /// Of a network that an operator may open: private, shared by a provider, loopback.
    private static final List<Block> INNER = List.of(
            Block.of("10.0.0.0", 8), Block.of("100.64.0.0", 10), Block.of("127.0.0.0", 8), Block.of("172.16.0.0", 12),
            Block.of("192.168.0.0", 16), Block.of("::1", 128), Block.of("fc00::", 7));

    /// Nobody's bundles are there: this host, link-local (where clouds hand out secrets), multicast, documentation,
    /// benchmarks, reserved, and IPv6 that wraps an IPv4 address up.
    private static final List<Block> NEVER = List.of(
            Block.of("0.0.0.0", 8), Block.of("169.254.0.0", 16), Block.of("192.0.0.0", 24), Block.of("192.0.2.0", 24),
            Block.of("192.88.99.0", 24), Block.of("198.18.0.0", 15), Block.of("198.51.100.0", 24),
            Block.of("203.0.113.0", 24), Block.of("224.0.0.0", 4), Block.of("240.0.0.0", 4),
            Block.of("2001::", 23), Block.of("2001:db8::", 32), Block.of("2002::", 16), Block.of("3fff::", 20));

    /// All that IPv6 has given out so far.
    private static final Block WORLD = Block.of("2000::", 3);

    private Addresses() {}

    enum Kind {
        PUBLIC, INNER, NEVER
    }

    static Kind kindOf(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (INNER.stream().anyMatch(block -> block.holds(bytes))) return Kind.INNER;
        if (NEVER.stream().anyMatch(block -> block.holds(bytes))) return Kind.NEVER;
        return address instanceof Inet4Address || WORLD.holds(bytes) ? Kind.PUBLIC : Kind.NEVER;
    }

    /// Addresses that begin with the same bits.
    private record Block(byte[] start, int bits) {
        static Block of(String start, int bits) {
            return new Block(InetAddress.ofLiteral(start).getAddress(), bits);
        }

        boolean holds(byte[] address) {
            if (address.length != start.length) return false;
            for (int bit = 0; bit < bits; bit++) {
                int mask = 0x80 >> (bit & 7);
                if (((address[bit >> 3] ^ start[bit >> 3]) & mask) != 0) return false;
            }
            return true;
        }
    }
}
