package nocturne.service.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import nocturne.job.JobId;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class JobRequestTest {
    private static final String HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    private static final String VALID = """
            {"version": 1, "id": "maya-v2", "name": "Maya", "model": "qwen-image", "priority": 3, "rerun": true,
             "bundle": {"uri": "https://studio.example/maya.zip", "sha256": "%s"}}""".formatted(HASH);

    @Test
    void readsEverythingThatCanBeSaid() {
        assertThat(parse(VALID)).isEqualTo(new JobRequest("maya-v2", "Maya",
                new JobRequest.Bundle(URI.create("https://studio.example/maya.zip"), HASH), "qwen-image", 3, true));
    }

    @Test
    void isContentWithAnAddress() {
        assertThat(parse("{\"version\":1,\"bundle\":{\"uri\":\"file:/data/40_maya%20char/\"}}"))
                .isEqualTo(new JobRequest(null, "40_maya char",
                        new JobRequest.Bundle(URI.create("file:/data/40_maya%20char/"), ""), null, 0, false));
    }

    @Test
    void tellsAllProblemsAtOnce() {
        List<Problem> problems = problems("""
                {"version": 1, "id": "../etc", "name": "", "priority": "high", "rerun": "yes", "prio": 1,
                 "bundle": {"uri": "ftp://x/y.zip", "sha256": "123", "md5": "x"}}""");
        assertThat(problems).extracting(Problem::where).containsExactlyInAnyOrder(
                "id", "name", "priority", "rerun", "prio", "bundle.uri", "bundle.sha256", "bundle.md5");
        assertThat(problems).extracting(Problem::code).containsOnly("MESSAGE_INVALID");
    }

    @Test
    void aModelThatIsNoPathIsAProblemOfItsKey() {
        for (String model : List.of("a\\u0000b", "\\ud800")) {
            assertThat(problems(VALID.replace("qwen-image", model))).singleElement()
                    .isEqualTo(new Problem("MESSAGE_INVALID", "model",
                            "holds characters that no path has; a model's name, or the path of its folder"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://studio.example/maya.zip", "s3://loras/maya.zip"})
    void wantsAHashForWhatComesFromElsewhere(String uri) {
        assertThat(problems("{\"version\":1,\"bundle\":{\"uri\":\"%s\"}}".formatted(uri)))
                .extracting(Problem::where).containsExactly("bundle.sha256");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"version\":2,\"bundles\":[]}", "{\"bundle\":{\"uri\":\"file:/x\"}}",
            "{\"version\":\"1\"}", "{\"version\":1.5}", "{\"version\":12345678901234567890}"})
    void saysThatItDoesNotKnowAVersionAndNothingElse(String message) {
        assertThat(problems(message)).singleElement().extracting(Problem::code).isEqualTo("MESSAGE_VERSION");
    }

    @Promise(row = 9, fault = "depth bomb, 20 MB string, number of 100,000 digits, no JSON at all")
    @Test
    void refusesWhatWouldExhaustAReader() {
        String deep = "{\"version\":1,\"bundle\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}";
        String huge = "{\"version\":1,\"name\":\"" + "a".repeat(20 << 20) + "\"}";
        String longText = "{\"version\":1,\"name\":\"" + "a".repeat(70 << 10) + "\"}";
        String longNumber = "{\"version\":1,\"priority\":" + "9".repeat(100_000) + "}";
        String fraction = "{\"version\":1,\"priority\":1e" + "9".repeat(90) + "}";
        assertThat(code(deep)).isEqualTo("MESSAGE_UNREADABLE");
        assertThat(code(huge)).isEqualTo("MESSAGE_TOO_LARGE");
        assertThat(code(longText)).isEqualTo("MESSAGE_UNREADABLE");
        assertThat(code(longNumber)).isEqualTo("MESSAGE_UNREADABLE");
        assertThat(code(fraction)).isIn("MESSAGE_INVALID", "MESSAGE_UNREADABLE");
        for (String nothing : List.of("", " ", "null", "7", "[]", "\"x\"", "{", "{}}", "\u0000", VALID + VALID,
                "{\"version\":1,\"version\":1}")) {
            assertThat(code(nothing)).as(nothing).startsWith("MESSAGE_");
        }
    }

    /// Whatever the message says about itself stays short, on one line, and without the reader's inner life.
    @Test
    void complainsBriefly() {
        for (String hostile : List.of("{\"" + "k".repeat(900) + "\":1,\"version\":1}",
                "{\"version\":\"\\n\\u001b[31m\"}",
                "{\"version\":1,\"priority\":\"" + "p".repeat(9000) + "\"}", "{'version':1}")) {
            for (Problem problem : problems(hostile)) {
                assertThat(problem.toString()).hasSizeLessThan(400).doesNotContain("\n", "\u001b", "jackson",
                        "Feature");
            }
        }
    }

    @Promise(row = 9, fault = "10,000 messages with random bytes changed, cut out or put in")
    @Test
    void readsOrRefusesWhateverComes() {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("mutated messages: seed " + seed);
        Random random = new Random(seed);
        int refused = 0;
        for (int i = 0; i < 10_000; i++) {
            byte[] message = mutated(VALID.getBytes(StandardCharsets.UTF_8), random);
            try {
                JobRequest request = JobRequest.parse(message);
                assertThat(request.id() == null || JobId.isValid(request.id())).isTrue();
            } catch (UserMistake mistake) {
                assertThat(mistake.problems()).isNotEmpty();
                refused++;
            }
        }
        assertThat(refused).as("most changes break something").isGreaterThan(5_000);
    }

    @Property(tries = 2_000)
    void refusesRandomBytes(@ForAll byte[] message) {
        assertThat(catchThrowableOfType(UserMistake.class, () -> JobRequest.parse(message))).isNotNull();
    }

    @Property(tries = 2_000)
    void readsBackWhatIsValid(@ForAll("ids") String id, @ForAll("names") String name, @ForAll boolean rerun) {
        String text = name.replace("\\", "\\\\").replace("\"", "\\\"");
        JobRequest request = parse("{\"version\":1,\"id\":\"%s\",\"name\":\"%s\",\"rerun\":%s,".formatted(id, text,
                rerun)
                + "\"bundle\":{\"uri\":\"file:/x.zip\"}}");
        assertThat(request.id()).isEqualTo(id);
        assertThat(request.name()).isEqualTo(name);
        assertThat(request.rerun()).isEqualTo(rerun);
    }

    @Provide
    Arbitrary<String> ids() {
        return Arbitraries.strings().withChars("abc019-").ofMinLength(1).ofMaxLength(64).filter(JobId::isValid);
    }

    @Provide
    Arbitrary<String> names() {
        return Arbitraries.strings().withCharRange(' ', '\u2fff').excludeChars('\u007f').ofMinLength(1).ofMaxLength(200)
                .filter(name -> !name.isBlank());
    }

    private static byte[] mutated(byte[] message, Random random) {
        byte[] bytes = message.clone();
        for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(3)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes = without(bytes, at, Math.min(bytes.length, at + 1 + random.nextInt(20)));
                default -> bytes = twice(bytes, at, Math.min(bytes.length, at + 1 + random.nextInt(20)));
            }
            if (bytes.length == 0) return bytes;
        }
        return bytes;
    }

    private static byte[] without(byte[] bytes, int from, int to) {
        byte[] rest = new byte[bytes.length - (to - from)];
        System.arraycopy(bytes, 0, rest, 0, from);
        System.arraycopy(bytes, to, rest, from, bytes.length - to);
        return rest;
    }

    private static byte[] twice(byte[] bytes, int from, int to) {
        byte[] more = new byte[bytes.length + (to - from)];
        System.arraycopy(bytes, 0, more, 0, to);
        System.arraycopy(bytes, from, more, to, bytes.length - from);
        return more;
    }

    private static JobRequest parse(String message) {
        return JobRequest.parse(message.getBytes(StandardCharsets.UTF_8));
    }

    private static List<Problem> problems(String message) {
        return catchThrowableOfType(UserMistake.class, () -> parse(message)).problems();
    }

    private static String code(String message) {
        return problems(message).getFirst().code();
    }
}
