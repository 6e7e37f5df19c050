package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Headers that could make a reader crash, allocate without bound, or read what is not its own.
class SafetensorsAttackTest {
    @TempDir
    Path folder;

    @ParameterizedTest(name = "{0}")
    @MethodSource("attacks")
    @Promise(row = 16, fault = "the format's own attacks: some fifty headers that lie, overlap, overflow or explode")
    void isRefusedWithTheReason(String attack, byte[] file, String reason) {
        Path path = RawSafetensors.write(folder.resolve("attack.safetensors"), file);
        assertThatThrownBy(() -> Safetensors.open(path))
                .isInstanceOfSatisfying(UserMistake.class, mistake -> {
                    assertThat(mistake.problems().getFirst().code()).isEqualTo("SAFETENSORS_INVALID");
                    assertThat(mistake.report()).contains("attack.safetensors").contains(reason);
                });
    }

    static Stream<Arguments> attacks() {
        byte[] brace = "{}".getBytes(StandardCharsets.UTF_8);
        String good = "{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}";
        return Stream.of(
                attack("empty file", new byte[0], "too short"),
                attack("length prefix cut short", new byte[7], "too short"),
                attack("length without header", RawSafetensors.withLength(2, new byte[0], 0), "truncated copy"),
                attack("length above 2^63", RawSafetensors.withLength(-1, brace, 0), "18446744073709551615"),
                attack("length that overflows when 8 is added",
                        RawSafetensors.withLength(Long.MAX_VALUE - 3, brace, 0), "does not fit"),
                attack("100 MB header claimed by a small file",
                        RawSafetensors.withLength(100_000_000, brace, 100), "does not fit"),
                attack("length zero", RawSafetensors.withLength(0, brace, 0), "does not fit"),
                attack("header is a list", "[]", 0, "does not start with {"),
                attack("header starts with a space", " {}", 0, "does not start with {"),
                attack("header cut in the middle", good.substring(0, 20), 4, "not well-formed JSON"),
                attack("something after the header's object", good + "{}", 4, "follows"),
                attack("a header that is not UTF-8",
                        RawSafetensors.withLength(4, new byte[] {'{', '"', (byte) 0xc3, '}'}, 0), "not UTF-8"),
                attack("UTF-16 header", RawSafetensors.withLength(4, new byte[] {'{', 0, '}', 0}, 0), "JSON"),
                attack("a million nested lists",
                        "{\"x\":{\"shape\":" + "[".repeat(1_000_000), 0, "list of whole numbers"),
                attack("a million nested objects in an unknown field",
                        "{\"x\":{\"why\":" + "{\"a\":".repeat(1_000_000), 0, "not well-formed JSON"),
                attack("the same tensor twice",
                        good.substring(0, good.length() - 1) + "," + good.substring(1), 4, "twice"),
                attack("the same field twice",
                        tensor("\"dtype\":\"U8\",\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[0,4]"), 4, "twice"),
                attack("two metadata objects", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "twice"),
                attack("metadata that is not text", "{\"__metadata__\":{\"a\":1}}", 0, "not a string"),
                attack("unknown type", tensor("\"dtype\":\"X8\",\"shape\":[4],\"data_offsets\":[0,4]"), 4, "X8"),
                attack("no type", tensor("\"shape\":[4],\"data_offsets\":[0,4]"), 4, "no dtype"),
                attack("no shape", tensor("\"dtype\":\"U8\",\"data_offsets\":[0,4]"), 4, "no shape"),
                attack("no offsets", tensor("\"dtype\":\"U8\",\"shape\":[4]"), 4, "two data_offsets"),
                attack("three offsets", tensor("\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4,4]"), 4, "two"),
                attack("negative size", u8("-4", "0,4"), 4, ">= 0"),
                attack("negative offset", u8("4", "-4,0"), 4, ">= 0"),
                attack("offset is not a number", u8("4", "NaN,4"), 4, "not well-formed JSON"),
                attack("offset is a fraction", u8("4", "0.0,4"), 4, "whole numbers"),
                attack("offset in exponent form", u8("4", "0,4e0"), 4, "whole numbers"),
                attack("offset beyond 64 bits", u8("4", "0,18446744073709551620"), 4, "whole numbers"),
                attack("offset of a thousand digits", u8("4", "0," + "9".repeat(5000)), 4, "JSON"),
                attack("offsets backwards", u8("4", "4,0"), 4, "ends before it begins"),
                attack("shape product overflows 64 bits",
                        u8("4294967296,4294967296,16", "0,4"), 4, "larger than any file"),
                attack("shape product overflows to the right size",
                        u8("4611686018427387904,4,1", "0,0"), 4, "larger than any file"),
                attack("end of data overflows",
                        u8("9223372036854775807", "0,9223372036854775807"), 4, "larger than any"),
                attack("shape and offsets disagree", u8("5", "0,4"), 4, "needs 5 bytes"),
                attack("thousands of axes", u8(ones(5000), "0,1"), 1, "more than 16 axes"),
                attack("data past the end", u8("5", "0,5"), 4, "truncated copy"),
                attack("hole before the first tensor", u8("4", "4,8"), 8, "hole of 4 bytes"),
                attack("bytes after the last tensor", u8("4", "0,4"), 8, "belong to nothing"),
                attack("bytes without any tensor", "{}", 8, "belong to nothing"),
                attack("two tensors on the same bytes", two("0,4", "0,4"), 4, "shares 4 bytes"),
                attack("two tensors that overlap", two("0,4", "2,6"), 6, "shares 2 bytes"),
                attack("a hole between two tensors", two("0,4", "6,10"), 10, "hole of 2 bytes"));
    }

    @Test
    void allProblemsOfAFileAreToldAtOnce() {
        String header = "{\"a\":{\"dtype\":\"Q4\",\"shape\":[4],\"data_offsets\":[0,4]},"
                + "\"b\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[4,8]}}";
        Path path = RawSafetensors.write(folder.resolve("two.safetensors"), RawSafetensors.of(header, 8));
        assertThatThrownBy(() -> Safetensors.open(path)).isInstanceOfSatisfying(UserMistake.class,
                mistake -> assertThat(mistake.report()).contains("tensor a has the type Q4").contains("tensor b"));
    }

    @Test
    void oddButSoundFilesAreRead() {
        String header = "{\"__metadata__\":{},\"none\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[4,4]},"
                + "\"x\":{\"later\":[{\"a\":[1]}],\"data_offsets\":[0,4],\"shape\":[2,2],\"dtype\":\"U8\"}}   \n";
        Path path = RawSafetensors.write(folder.resolve("odd.safetensors"), RawSafetensors.of(header, 4));
        assertThatCode(() -> {
            try (Safetensors tensors = Safetensors.open(path)) {
                assertThat(tensors.ints("x")).containsExactly(0, 1, 2, 3);
                assertThat(tensors.floats("none")).isEmpty();
            }
        }).doesNotThrowAnyException();
        Path empty = RawSafetensors.write(folder.resolve("empty.safetensors"), RawSafetensors.of("{}", 0));
        try (Safetensors tensors = Safetensors.open(empty)) {
            assertThat(tensors.tensors()).isEmpty();
            assertThatThrownBy(() -> tensors.bytes("x")).isInstanceOf(UserMistake.class);
        }
    }

    @Test
    void controlCharactersOfANameDoNotReachTheTerminal() {
        String header = "{\"\\u001b[31mred\\n\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,4]}}";
        Path path = RawSafetensors.write(folder.resolve("red.safetensors"), RawSafetensors.of(header, 4));
        assertThatThrownBy(() -> Safetensors.open(path)).message().contains("?[31mred?").doesNotContain("\u001b");
    }

    private static String tensor(String fields) {
        return "{\"x\":{" + fields + "}}";
    }

    private static String u8(String shape, String offsets) {
        return tensor("\"dtype\":\"U8\",\"shape\":[" + shape + "],\"data_offsets\":[" + offsets + "]");
    }

    private static String two(String first, String second) {
        String form = "{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[%s]}";
        return "{\"x\":" + form.formatted(first) + ",\"y\":" + form.formatted(second) + "}";
    }

    private static String ones(int count) {
        return IntStream.range(0, count).mapToObj(i -> "1").collect(Collectors.joining(","));
    }

    private static Arguments attack(String name, String header, int dataBytes, String reason) {
        return attack(name, RawSafetensors.of(header, dataBytes), reason);
    }

    private static Arguments attack(String name, byte[] file, String reason) {
        return Arguments.of(name, file, reason);
    }
}
