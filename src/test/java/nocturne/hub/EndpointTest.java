package nocturne.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.util.Map;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Where the token may go, where a redirect may lead, and what an address looks like.
final class EndpointTest {
    @ParameterizedTest
    @CsvSource({
        "https://huggingface.co,       https://huggingface.co/x,          true",
        "https://huggingface.co,       https://HuggingFace.co:443/x,      true",
        "https://huggingface.co,       https://cdn.huggingface.co/x,      false",
        "https://huggingface.co,       https://huggingface.co.evil.org/,  false",
        "https://huggingface.co,       https://huggingface.co:8443/x,     false",
        "https://huggingface.co,       http://huggingface.co/x,           false",
        "http://mirror.example,        http://mirror.example/x,           false",
        "http://127.0.0.1:8080,        http://127.0.0.1:8080/x,           true",
        "http://127.0.0.1:8080,        http://127.0.0.1:8081/x,           false",
        "http://localhost,             http://localhost/x,                true"
    })
    void theTokenGoesToTheHubAloneAndNotInTheOpen(String endpoint, String address, boolean may) {
        assertThat(Endpoint.of(endpoint).mayHaveToken(URI.create(address))).isEqualTo(may);
    }

    @ParameterizedTest
    @CsvSource({
        "https://huggingface.co,   https://cdn.example/x,          true",
        "https://huggingface.co,   http://cdn.example/x,           false",
        "http://127.0.0.1:8080,    http://localhost:9/x,           true",
        "http://127.0.0.1:8080,    https://cdn.example/x,          true",
        "https://huggingface.co,   file:///etc/passwd,             false",
        "https://huggingface.co,   https://me:you@cdn.example/x,   false"
    })
    void aRedirectNeverLeadsOutOfEncryption(String endpoint, String address, boolean may) {
        assertThat(Endpoint.of(endpoint).mayLeadTo(URI.create(address))).isEqualTo(may);
    }

    @Test
    void whatHasAMeaningInAnAddressIsWrittenOtherwise() {
        Endpoint hub = Endpoint.of("https://mirror.example/hub/");
        assertThat(hub.at("/Q/a b/c#d?e%f&g/ü+.json", "x=1"))
                .hasToString("https://mirror.example/hub/Q/a%20b/c%23d%3Fe%25f%26g/%C3%BC%2B.json?x=1");
        assertThat(hub.at("/api/revision/", "refs/pr/1", ""))
                .hasToString("https://mirror.example/hub/api/revision/refs%2Fpr%2F1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "huggingface.co", "ftp://x", "https://", "https://me:you@x", "https://x?y", "https://x#y",
        "https://x y", "file:///etc"})
    void whatIsNoAddressOfAHubIsRefusedWithoutRepeatingIt(String text) {
        assertThatThrownBy(() -> Endpoint.of(text)).isInstanceOf(UserMistake.class)
                .hasMessageNotContaining("you").hasMessageContaining("https://huggingface.co");
    }

    @Test
    void aTokenIsOneLineOfVisibleLettersAndPrintsAsNothing() {
        assertThat(HubToken.of(Map.of())).isEmpty();
        assertThat(HubToken.of(Map.of("HF_TOKEN", " \n"))).isEmpty();
        assertThat(HubToken.of(Map.of("HF_TOKEN", "hf_abc\n")).orElseThrow().reveal()).isEqualTo("hf_abc");
        assertThatThrownBy(() -> HubToken.of(Map.of("HF_TOKEN", "hf_abc\nX: y"))).isInstanceOf(UserMistake.class)
                .hasMessageNotContaining("hf_abc");
    }
}
