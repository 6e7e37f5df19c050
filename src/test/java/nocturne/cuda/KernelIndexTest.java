package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// `kernels/README.md` is the index of all kernels.
class KernelIndexTest {
    private static final Pattern DECLARATION = Pattern.compile(
            "^(?:(?:STORAGE_KERNELS|KERNEL)\\(|BOUNDED_(?:STORAGE_KERNELS|KERNEL)\\(\\w+, \\w+, )(\\w+)",
            Pattern.MULTILINE);

    private static Set<String> kernelsIn(String source) {
        return new TreeSet<>(DECLARATION.matcher(source).results().map((MatchResult r) -> r.group(1)).toList());
    }

    @Test
    void everyKernelIsInTheIndex() throws IOException {
        String index = Files.readString(HostCompiler.KERNELS.resolve("README.md"));
        for (Path file : HostCompiler.filesIn(HostCompiler.KERNELS, ".cu")) {
            assertThat(index).contains("`" + file.getFileName() + "`");
            Set<String> kernels = kernelsIn(Files.readString(file));
            assertThat(kernels).as("kernels of " + file).isNotEmpty();
            for (String kernel : kernels) assertThat(index).as("the index").contains("`" + kernel + "`");
        }
    }

    @Test
    void declarationsAreFound() {
        assertThat(kernelsIn("""
                // KERNEL(not_this_one)
                KERNEL(one, int x) {
                STORAGE_KERNELS(two,
                BOUNDED_KERNEL(256, 2, three, float y) {
                BOUNDED_STORAGE_KERNELS(THREADS, 1, four, (int x), (x))
                """)).containsExactly("four", "one", "three", "two");
    }
}
