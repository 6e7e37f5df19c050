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
            "^(?:BOUNDED_(?:STORAGE_KERNELS|KERNEL)\\(\\w+, \\w+, |(?!BOUNDED_)\\w*KERNELS?\\()(\\w+)",
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
            for (String kernel : kernels) {
                // In the index without its storage type.
                String family = kernel.replaceFirst("_(f32|bf16)$", "");
                assertThat(index).as("the index").containsAnyOf("`" + kernel + "`", "`" + family + "`");
            }
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
                #define FAMILY_KERNEL(name) \
                    KERNEL(name, int x)
                FAMILY_KERNEL(five)
                """)).containsExactly("five", "four", "one", "three", "two");
    }
}
