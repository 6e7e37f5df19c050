package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The text becomes a tree, or one line says why not.
class RecipeSourceTest {
    private final Findings findings = new Findings("recipe.yaml");

    private Node parse(String text) {
        return RecipeSource.parse(text, "recipe.yaml", findings);
    }

    private String complaint(String text) {
        UserMistake mistake = catchThrowableOfType(UserMistake.class, () -> {
            parse(text);
            findings.throwIfAny();
        });
        assertThat(mistake).as("refusal of %s", text).isNotNull();
        assertThat(mistake.problems()).allMatch(problem -> problem.code().equals("RECIPE_INVALID"));
        return mistake.report();
    }

    @Test
    void everyNodeKnowsItsLineAndColumn() {
        Node.Mapping root = (Node.Mapping) parse("""
                train:
                  lr: 1e-4
                  betas:
                    - 0.9
                    - 0.999
                """);
        Node.Entry train = root.entries().getFirst();
        Node.Mapping inner = (Node.Mapping) train.value();
        assertThat(train.at()).isEqualTo(new Position(1, 1));
        assertThat(inner.entries().get(0)).isEqualTo(
                new Node.Entry(new Position(2, 3), "lr", new Node.Scalar(new Position(2, 7), "1e-4")));
        assertThat(((Node.Sequence) inner.entries().get(1).value()).items().get(1))
                .isEqualTo(new Node.Scalar(new Position(5, 7), "0.999"));
    }

    @Test
    void scalarsKeepTheirTextWhateverYamlThinksTheyAre() {
        Node.Sequence list = (Node.Sequence) parse("[1e-4, \"1e-4\", 0x10, 010, no, 2020-01-01, 1_000, '', .inf]");
        assertThat(list.items()).extracting(node -> ((Node.Scalar) node).text())
                .containsExactly("1e-4", "1e-4", "0x10", "010", "no", "2020-01-01", "1_000", "", ".inf");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "# only a comment\n", "~", "null", "---\n"})
    void anEmptyTextIsNull(String text) {
        assertThat(parse(text).isNull()).isTrue();
    }

    @Test
    void jsonWithCommentsAndTrailingCommasIsRead() {
        Node.Mapping root = (Node.Mapping) RecipeSource.parse("""
                {
                  // a comment
                  "train": {"lr": 0.0001,},
                }""", "recipe.jsonc", findings);
        Node.Mapping train = (Node.Mapping) root.entries().getFirst().value();
        assertThat(train.entry("lr").orElseThrow().value()).isEqualTo(new Node.Scalar(new Position(3, 19), "0.0001"));
    }

    @Test
    void aKeyGivenTwiceIsRefusedWithBothLines() {
        assertThat(complaint("train:\n  lr: 1\n  steps: 2\n  lr: 3\n"))
                .contains("line 4  train.lr: is given twice, first in line 2");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "`a: ${HOME}`            | line 1  a: ${...} is not replaced",
        "`x: 1\n${HOME}: 1`      | line 2  ${HOME}: ${...} is not replaced",
        "`a: 1\nb: !!float '3'`  | line 2: YAML tags",
        "`a: 1\n---\nb: 2`       | line 3: a second document",
        "`a: &x 1\n<<: *x`       | line 2: merge keys",
        "`a: 1\n\tb: 2`          | line 2: a tab stands where",
        "`a: *nothing`           | line 1: the alias *nothing",
        "`a: &a [*a]`            | line 1: the alias *a",
        "`? [a, b]\n: c`         | line 1: cannot be read: a key is a single word",
        "`a: 1\nb: {c: 1`        | line 2: is not valid YAML",
        "`a: 'open`              | line 1: is not valid YAML",
        "`a: 1\nb: \u0007`       | line 2: holds the control character 0x07",
    })
    @Promise(row = 8, fault = "tags, variables, merge keys, several documents, aliases without an anchor")
    void whatIsNoPlainTreeIsRefusedWithItsLine(String text, String message) {
        assertThat(complaint(text)).contains(message);
    }

    @Test
    void everyDuplicateAndVariableIsToldAtOnce() {
        assertThat(complaint("a: ${A}\na: 1\nb: ${B}\n")).contains("has 3 problems", "line 1", "line 2", "line 3");
    }

    /// Ten levels of ten aliases are 10^10 values in 400 bytes.
    @Test
    @Promise(row = 8, fault = "ten levels of ten aliases")
    void aBillionLaughsEndsBeforeTheyGrow() {
        StringBuilder bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i <= 10; i++) {
            String previous = "*a" + (i - 1);
            bomb.append("a%d: &a%d [%s]\n".formatted(i, i,
                    IntStream.range(0, 10).mapToObj(_ -> previous).collect(Collectors.joining(", "))));
        }
        assertThat(complaint(bomb.toString())).contains("more than 10000 values");
    }

    @Test
    void aliasesThatDigDeeperAndDeeperAreRefused() {
        StringBuilder chain = new StringBuilder("a0: &a0 [x]\n");
        for (int i = 1; i <= 40; i++) chain.append("a%d: &a%d [*a%d]\n".formatted(i, i, i - 1));
        assertThat(complaint(chain.toString())).contains("nested more than 24 deep");
    }

    @Test
    void aFewAliasesAreFine() {
        Node.Mapping root = (Node.Mapping) parse("a: &x [1, 2]\nb: *x\n");
        assertThat(root.entry("b").orElseThrow().value()).isEqualTo(root.entry("a").orElseThrow().value());
    }

    @Test
    void deepNestingIsRefused() {
        assertThat(complaint("[".repeat(500) + "]".repeat(500))).contains("nested more than 24 deep");
    }

    @Test
    void moreThanAMegabyteIsRefusedUnread() {
        byte[] bytes = new byte[RecipeText.MOST_BYTES + 1];
        assertThatThrownBy(() -> RecipeText.decode(bytes, findings)).isInstanceOf(UserMistake.class)
                .extracting(e -> ((UserMistake) e).report()).asString().contains("larger than 1 MB");
    }

    @Test
    void bytesThatAreNoUtf8AreRefusedWithTheirLine() {
        byte[] bytes = "a: 1\nb: x\nc: 3\n".getBytes(StandardCharsets.US_ASCII);
        bytes[8] = (byte) 0xE4;
        assertThatThrownBy(() -> RecipeText.decode(bytes, findings)).isInstanceOf(UserMistake.class)
                .extracting(e -> ((UserMistake) e).report()).asString().contains("line 2: is not valid UTF-8");
    }

    @Test
    void aByteOrderMarkIsSkippedAndUtf16IsNamed() {
        assertThat(RecipeText.decode("\uFEFFa: ä".getBytes(StandardCharsets.UTF_8), findings)).isEqualTo("a: ä");
        assertThatThrownBy(() -> RecipeText.decode("\uFEFFa: 1".getBytes(StandardCharsets.UTF_16BE), findings))
                .isInstanceOf(UserMistake.class)
                .extracting(e -> ((UserMistake) e).report()).asString().contains("UTF-16");
    }
}
