package nocturne.service.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.util.List;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;

/// The lists of hosts, rule by rule.
class HostsTest {
    @Test
    void aRuleNamesOneHostAtTheUsualPortOrAtItsOwn() {
        Hosts hosts = new Hosts(List.of("A.Example.org", "b.example.org:8443"), List.of(), List.of());
        assertThat(hosts.of(URI.create("https://a.example.ORG/x"))).isEqualTo(
                new Hosts.Host("a.example.org", 443, false));
        assertThat(hosts.of(URI.create("https://b.example.org:8443/x")).port()).isEqualTo(8443);
        refused(hosts, "https://a.example.org:8443/", "https://b.example.org/", "https://x.a.example.org/");
    }

    @Test
    void aStarMeansWhatIsBelowOrEverybodyAtTheUsualPort() {
        Hosts below = new Hosts(List.of("*.example.org"), List.of(), List.of());
        assertThat(below.of(URI.create("https://a.b.example.org/")).name()).isEqualTo("a.b.example.org");
        refused(below, "https://example.org/", "https://evilexample.org/", "https://1.example.org:444/");
        Hosts all = new Hosts(List.of("*"), List.of(), List.of());
        assertThat(all.of(URI.create("https://anything.test/")).isInternal()).isFalse();
        refused(all, "https://10.0.0.1/", "https://anything.test:22/", "https://[2a00::1]/");
    }

    @Test
    void anInternalHostMayBeANumberAndAnInsecureOneStandsInAnotherListToo() {
        Hosts hosts = new Hosts(List.of(), List.of("10.0.0.5:8080", "[fd00::1]", "nas"), List.of("nas"));
        assertThat(hosts.of(URI.create("https://10.0.0.5:8080/")).isInternal()).isTrue();
        assertThat(hosts.of(URI.create("https://[fd00::1]/")).isInternal()).isTrue();
        assertThat(hosts.of(URI.create("http://nas/maya.zip")).port()).isEqualTo(80);
        refused(hosts, "http://10.0.0.5:8080/", "https://10.0.0.6:8080/", "https://167772165:8080/");
        refused(new Hosts(List.of(), List.of(), List.of("nas")), "http://nas/maya.zip");
    }

    private static void refused(Hosts hosts, String... uris) {
        for (String uri : uris) {
            assertThatThrownBy(() -> hosts.of(URI.create(uri))).as(uri).isInstanceOf(UserMistake.class);
        }
    }
}
