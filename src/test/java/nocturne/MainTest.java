package nocturne;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// What the command line answers, in words and in exit codes; run in this process with streams we can read.
final class MainTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @ValueSource(strings = {"--help", "-h", "train --help", "train -h", "bench --help", "bench -h"})
    void everyCommandExplainsItself(String line) {
        assertThat(run(line)).isEqualTo(0);
        assertThat(out.toString()).startsWith("Usage: nocturne").contains("--debug", "Exit codes:");
        assertThat(err.toString()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--version", "train --version", "bench -V"})
    void everyCommandTellsItsVersion(String line) {
        assertThat(run(line)).isEqualTo(0);
        assertThat(out.toString()).startsWith("nocturne ").contains("Java 2");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "trian",
                "train",
                "train a b",
                "train a --threads 0",
                "train a --threads many",
                "train a --device abacus",
                "train a --vram plenty",
                "train a --vram-share 0%",
                "train a --vram-share 120%",
                "train a --device cuda",
                "train a --device cuda:",
                "train a --device cuda:-1",
                "train a --cuda-libs /no/such/folder",
                "train a --eight-bit",
                "train a --gemm cublas",
                "train a --gemm magic",
                "train a --max-hours 0",
                "train a --vram 24GB",
                "train a --vram much",
                "train a --max-hours NaN",
                "train a --max-hours 1e9",
                "pull",
                "pull Qwen",
                "pull ../models",
                "pull Qwen/Qwen-Image --connections 0",
                "pull Qwen/Qwen-Image --include *.json",
                "bench --size huge",
                "bench --steps 0",
                "bench --warmup -1",
                "bench --layers 0",
                "bench --format int9",
                "bench --keep nothing",
                "bench --device abacus",
            })
    void aCommandLineWithoutSenseIsTheUsersMistakeAndPointsToHelp(String line) {
        assertThat(run(line)).isEqualTo(64);
        assertThat(err.toString()).containsPattern("(?m)^Try 'nocturne( train| bench| pull)? --help'\\.$");
        assertThat(err.toString()).doesNotContain("\tat ", "Exception");
        assertThat(out.toString()).isEmpty();
    }

    /// A file of arguments would end in the help, which is no mistake.
    @ParameterizedTest
    @ValueSource(strings = {"train %s", "train nowhere --name %s", "train nowhere --model %s"})
    void aWordThatBeginsWithAnAtIsNoFileOfArguments(String line, @TempDir Path folder) throws IOException {
        Path arguments = Files.writeString(folder.resolve("arguments"), "nowhere --help");
        assertThat(run(line.formatted("@" + arguments) + " --out " + folder.resolve("out"))).isEqualTo(64);
        assertThat(err.toString()).contains("no such").doesNotContain("Try 'nocturne");
        assertThat(out.toString()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "-h", "--version", "-V", "--out=elsewhere", "--no-such-option"})
    void aNameInOneWordWithItsOptionIsANameWhateverItLooksLike(String name, @TempDir Path folder) {
        assertThat(run("train nowhere --name=" + name + " --model=" + name + " --out=" + folder.resolve("out")))
                .isEqualTo(64);
        assertThat(err.toString()).contains("no such").doesNotContain("Try 'nocturne");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void aMistypedCommandBringsTheNearestOne() {
        run("trainn");
        assertThat(err.toString()).contains("nocturne train");
    }

    @Test
    void aUsersMistakeIsReportedWholeAndWithoutTrace() {
        UserMistake mistake = new UserMistake(
                "recipe.yaml has 2 problems; no training time was spent.",
                List.of(
                        new Problem("RECIPE_INVALID", "line 14", "too small"),
                        new Problem("RECIPE_INVALID", "line 22", "odd")));
        assertThat(runFailing(mistake)).isEqualTo(64);
        assertThat(err.toString().lines())
                .containsExactly(
                        "recipe.yaml has 2 problems; no training time was spent.",
                        "  line 14: too small",
                        "  line 22: odd");
    }

    @Test
    void aSickMachineHasItsOwnExitCode() {
        SickMachine full = new SickMachine("DISK_FULL", "writing checkpoint 400: the disk is full", new IOException());
        assertThat(runFailing(full)).isEqualTo(74);
        assertThat(err.toString().lines()).containsExactly("writing checkpoint 400: the disk is full [DISK_FULL]");
    }

    @ParameterizedTest
    @CsvSource({"OUTPUT_IN_USE, 73", "WORK_IN_USE, 73", "NOT_WRITABLE, 64", "TRAINING_DIVERGED, 64"})
    void aFolderThatIsInUseIsToldFromOtherMistakes(String code, int exitCode) {
        assertThat(runFailing(new UserMistake(code, "outbox/maya", "is taken"))).isEqualTo(exitCode);
    }

    @ParameterizedTest
    @CsvSource({"DEVICE_LOST, 76", "DEVICE_UNCORRECTABLE_MEMORY, 76", "WRITE_FAILED, 74"})
    void aSickDeviceIsToldFromASickMachine(String code, int exitCode) {
        assertThat(runFailing(new SickMachine(code, "computing step 7:\n  error 719", new IOException())))
                .isEqualTo(exitCode);
        assertThat(err.toString().lines()).containsExactly("computing step 7: error 719 [" + code + "]");
    }

    @Test
    void theHelpListsEveryExitCodeInOrder() {
        run("train --help");
        String list = out.toString().substring(out.toString().indexOf("Exit codes:"));
        List<Integer> listed = Pattern.compile("(?m)^ *(\\d+) ").matcher(list).results()
                .map(result -> Integer.parseInt(result.group(1))).toList();
        assertThat(listed).containsExactly(0, 64, 69, 70, 73, 74, 75, 76);
    }

    /// An Error passes picocli's own handler by, an Exception does not: both must end here.
    @Test
    void anythingElseIsOurBugInOneLineWhoseDetailsAreKept() throws Exception {
        for (Throwable bug : List.of(new IllegalStateException("no such thing"), new StackOverflowError("deep"))) {
            err.getBuffer().setLength(0);
            assertThat(runFailing(bug)).isEqualTo(70);
            assertThat(err.toString().lines()).hasSize(1);
            assertThat(err.toString()).startsWith("this is a bug in Nocturne: " + bug).contains("--debug");
            Matcher file = Pattern.compile("details in (.*\\.txt),").matcher(err.toString());
            assertThat(file.find()).isTrue();
            Path kept = Path.of(file.group(1));
            assertThat(kept).content().contains(bug.toString(), "\tat ");
            Files.delete(kept);
        }
    }

    @Test
    void debugShowsTheTraceWhereverItStands() {
        for (String line : List.of("--debug fail", "fail --debug")) {
            err.getBuffer().setLength(0);
            assertThat(runFailing(new UserMistake("X", "there", "wrong"), line)).isEqualTo(64);
            assertThat(err.toString()).contains("there: wrong", "\tat nocturne.");
        }
    }

    private int run(String line) {
        String[] words = line.isEmpty() ? new String[0] : line.split(" ");
        return new Main().run(new PrintWriter(out), new PrintWriter(err), words);
    }

    private int runFailing(Throwable failure) {
        return runFailing(failure, "fail");
    }

    private int runFailing(Throwable failure, String line) {
        Main main = new Main();
        CommandLine commands = new CommandLine(main).addSubcommand(new Fail(failure));
        return main.run(commands, new PrintWriter(out), new PrintWriter(err), line.split(" "));
    }

    /// A command that ends as told.
    @Command(name = "fail")
    private record Fail(Throwable failure) implements Callable<Integer> {
        @Override
        public Integer call() throws Exception {
            if (failure instanceof Error error) throw error;
            throw (Exception) failure;
        }
    }
}
