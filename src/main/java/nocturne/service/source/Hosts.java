package nocturne.service.source;

import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// Whom the operator allows to be asked.
///
/// @param allowed  at public addresses
/// @param internal at private ones too
/// @param insecure without encryption
record Hosts(List<String> allowed, List<String> internal, List<String> insecure) {
    /// Letters, digits and hyphens; the last part begins with a letter. So no number in any notation is a name.
    private static final Pattern NAME =
            Pattern.compile("([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final int LONGEST_NAME = 253;

    static Hosts of(SourceConfig config) {
        return new Hosts(config.hosts(), config.internalHosts(), config.insecureHosts());
    }

    /// A host that may be asked.
    ///
    /// @param name       in lower case
    /// @param port       to connect to
    /// @param isInternal whether it may have a private address
    record Host(String name, int port, boolean isInternal) {}

    /// @throws nocturne.problem.UserMistake `SOURCE_REFUSED` if the address names nobody who may be asked
    Host of(URI uri) {
        boolean secure = "https".equalsIgnoreCase(uri.getScheme());
        if (uri.getRawUserInfo() != null) throw Refusals.refused(uri, "names a user; an address may not hold one");
        String name = uri.getHost() == null ? "" : uri.getHost().toLowerCase(Locale.ROOT);
        int usual = secure ? 443 : 80;
        int port = uri.getPort() < 0 ? usual : uri.getPort();
        // A number is a host only where the operator wrote that very number.
        boolean isName = name.length() <= LONGEST_NAME && NAME.matcher(name).matches();
        boolean isInternal = lists(internal, name, port, usual, isName);
        if (!isName && !isInternal) {
            throw Refusals.refused(uri, "needs the name of a host, such as bundles.example.org");
        }
        if (!isInternal && !lists(allowed, name, port, usual, true)) {
            throw Refusals.refused(uri, ("is not on a host that this service may ask; its operator lists them in"
                    + " nocturne.sources.hosts"));
        }
        if (!secure && !lists(insecure, name, port, usual, isName)) {
            throw Refusals.refused(uri, "must begin with https:");
        }
        return new Host(name, port, isInternal);
    }

    private static boolean lists(List<String> rules, String name, int port, int usual, boolean isName) {
        return rules.stream().anyMatch(rule -> {
            String wanted = rule.strip().toLowerCase(Locale.ROOT);
            if (wanted.equals("*")) return isName && port == usual;
            int colon = wanted.lastIndexOf(':');
            boolean hasPort = colon > wanted.lastIndexOf(']');
            String host = hasPort ? wanted.substring(0, colon) : wanted;
            String wantedPort = hasPort ? wanted.substring(colon + 1) : Integer.toString(usual);
            if (!wantedPort.equals(Integer.toString(port))) return false;
            return host.startsWith("*.") ? isName && name.endsWith(host.substring(1)) : name.equals(host);
        });
    }
}
