package nocturne.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import nocturne.event.Event;
import nocturne.event.EventLog;
import nocturne.event.Scrubber;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SecretTest {
    private static final String CANARY = "canary/3f9a+b \"quoted\"";

    @TempDir
    Path folder;

    @Test
    @Promise(row = 36, fault = "a secret printed, concatenated and serialised")
    void itPrintsAsStarsWhereverItIsPrinted() throws IOException {
        Secret secret = new Secret(CANARY);
        assertThat("" + secret + List.of(secret)).isEqualTo("***[***]");
        assertThat(new ObjectMapper().writeValueAsString(Map.of("password", secret)))
                .isEqualTo("{\"password\":\"***\"}");
        assertThat(secret.reveal()).isEqualTo(CANARY);
    }

    @Test
    void itComesFromAFileOrAVariableWithoutTheLineEnd() throws IOException {
        Path file = Files.writeString(folder.resolve("token"), CANARY + "\n");
        assertThat(Secret.inFile(file, "key").reveal()).isEqualTo(CANARY);
        assertThat(Secret.inEnvironment("TOKEN", Map.of("TOKEN", CANARY), "key").reveal()).isEqualTo(CANARY);
    }

    @Test
    void aMissingOneIsToldByItsKeyAndPlace() throws IOException {
        Path empty = Files.writeString(folder.resolve("empty"), " \n");
        assertThatThrownBy(() -> Secret.inFile(folder.resolve("none"), "nocturne.x.secret-file"))
                .isInstanceOf(UserMistake.class).hasMessageContaining("nocturne.x.secret-file")
                .hasMessageContaining("none cannot be read");
        assertThatThrownBy(() -> Secret.inFile(empty, "key")).isInstanceOf(UserMistake.class)
                .hasMessageContaining("is empty");
        assertThatThrownBy(() -> Secret.inEnvironment("TOKEN", Map.of(), "key")).isInstanceOf(UserMistake.class)
                .hasMessageContaining("no TOKEN");
    }

    /// Libraries put into their messages what they like. Whatever form it takes there, the journal does not show it.
    @Test
    @Promise(row = 36, fault = "exception messages that hold the secret plainly, URL-encoded and in base64")
    void aMessageThatHoldsItReachesNoJournal() throws IOException {
        new Secret(CANARY);
        String leaks = "GET https://a/?k=canary%2F3f9a%2Bb+%22quoted%22 with Basic Y2FuYXJ5LzNmOWErYiAicXVvdGVkIg== and "
                + CANARY;
        Path file = folder.resolve("events.jsonl");
        try (EventLog log = EventLog.open(file, "maya-7f3a", "/hosts/a", InstantSource.system())) {
            log.append(new Event.Failed("X", leaks, List.of(new Problem("X", "", leaks))));
        }
        assertThat(Files.readString(file)).contains("GET https://a/?k=*** with Basic *** and ***")
                .doesNotContain("canary", "Y2FuYXJ5");
        assertThat(Scrubber.scrub(leaks)).isEqualTo("GET https://a/?k=*** with Basic *** and ***");
    }

    @Test
    void whatDecidesSomethingIsNeverReplaced() throws IOException {
        new Secret("secret-as-job-9q");
        Path file = folder.resolve("events.jsonl");
        try (EventLog log = EventLog.open(file, "secret-as-job-9q", "/hosts/a", InstantSource.system())) {
            assertThat(log.append(new Event.Cancelled("secret-as-job-9q")))
                    .contains("\"subject\":\"secret-as-job-9q\"", "\"reason\":\"***\"");
        }
    }
}
