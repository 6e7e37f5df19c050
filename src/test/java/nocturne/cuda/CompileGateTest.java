package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import nocturne.cuda.DeviceCompiler.Needs;
import org.junit.jupiter.api.Test;

/// Every kernel compiles without a warning for every architecture we ship for, and keeps its numbers in registers, but
/// for what `kernels/spills.txt` allows it. Writes `target/spills.md`.
class CompileGateTest {
    private static final Path BUDGET = HostCompiler.KERNELS.resolve("spills.txt");
    private static final Path TABLE = Path.of("target", "spills.md");
    /// What a block can have without asking for more, and what every card has at least.
    private static final int MOST_STATIC_SHARED_BYTES = 48 * 1024;

    @Test
    void kernelsCompileForAllArchitecturesWithinTheirBudgets() throws IOException {
        assumeTrue(DeviceCompiler.isInstalled(), "nvcc is not installed, so kernels are not compiled for cards");
        List<Needs> needs = new ArrayList<>();
        for (Path source : HostCompiler.filesIn(HostCompiler.KERNELS, ".cu")) {
            needs.addAll(DeviceCompiler.needs(source));
        }
        Files.writeString(TABLE, table(needs));

        Map<String, Integer> budget = budget(Files.readAllLines(BUDGET));
        List<String> tooMuch = new ArrayList<>();
        for (Needs need : needs) {
            int allowed = budget.getOrDefault(need.kernel(), 0);
            if (need.localBytes() > allowed || need.sharedBytes() > MOST_STATIC_SHARED_BYTES) {
                tooMuch.add("%s on sm_%s: %d bytes of local memory, %d allowed; %d bytes of shared memory".formatted(
                        need.kernel(), need.architecture(), need.localBytes(), allowed, need.sharedBytes()));
            }
        }
        assertThat(tooMuch).as("kernels beyond " + BUDGET).isEmpty();
        assertThat(budget.keySet()).as("kernels of %s, which must exist", BUDGET).isSubsetOf(byKernel(needs).keySet());
        byKernel(needs).forEach((kernel, row) -> assertThat(row.keySet()).as(kernel)
                .containsExactlyInAnyOrderElementsOf(DeviceCompiler.ARCHITECTURES));
    }

    @Test
    void theCompilersWordsAreUnderstood() {
        List<Needs> needs = DeviceCompiler.parse("""
                ptxas info    : 0 bytes gmem
                ptxas info    : Compiling entry function 'attention_bf16' for 'sm_90a'
                ptxas info    : Function properties for attention_bf16
                    8 bytes stack frame, 24 bytes spill stores, 20 bytes spill loads
                ptxas info    : Used 255 registers, used 1 barriers, 8 bytes cumulative stack size, 1024 bytes smem
                ptxas info    : Compile time = 3.480 ms
                ptxas info    : Compiling entry function 'fill_f32' for 'sm_80'
                ptxas info    : Function properties for fill_f32
                    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
                ptxas info    : Used 14 registers, used 0 barriers, 376 bytes cmem[0]
                """.lines().toList());
        assertThat(needs).containsExactly(new Needs("attention_bf16", "90a", 255, 24, 1024),
                new Needs("fill_f32", "80", 14, 0, 0));
        assertThat(table(needs)).contains("| `attention_bf16` |").contains("| **255, 24** |").contains("| 14 |");
    }

    @Test
    void theBudgetIsReadLineByLine() {
        assertThat(budget(List.of("# kernel bytes why", "", "attention_bf16 24 the accumulators fill all registers")))
                .containsOnly(Map.entry("attention_bf16", 24));
    }

    private static Map<String, Integer> budget(List<String> lines) {
        Map<String, Integer> budget = new TreeMap<>();
        for (String line : lines) {
            if (line.isBlank() || line.startsWith("#")) continue;
            String[] words = line.strip().split("\\s+", 3);
            assertThat(words).as("%s: kernel, bytes, why", line).hasSize(3);
            budget.put(words[0], Integer.parseInt(words[1]));
        }
        return budget;
    }

    private static Map<String, Map<String, Needs>> byKernel(List<Needs> needs) {
        Map<String, Map<String, Needs>> kernels = new TreeMap<>();
        for (Needs need : needs) {
            kernels.computeIfAbsent(need.kernel(), kernel -> new TreeMap<>()).put(need.architecture(), need);
        }
        return kernels;
    }

    private static String table(List<Needs> needs) {
        StringBuilder text = new StringBuilder("""
                # What the kernels take

                Registers of a thread and, in bold, with it, the bytes of local memory it needs beyond them.

                | kernel |""");
        for (String architecture : DeviceCompiler.ARCHITECTURES) text.append(" sm_").append(architecture).append(" |");
        text.append("\n| --- |").append(" --- |".repeat(DeviceCompiler.ARCHITECTURES.size())).append('\n');
        byKernel(needs).forEach((kernel, row) -> {
            text.append("| `").append(kernel).append("` |");
            for (String architecture : DeviceCompiler.ARCHITECTURES) {
                text.append(' ').append(cell(row.get(architecture))).append(" |");
            }
            text.append('\n');
        });
        return text.toString();
    }

    private static String cell(Needs need) {
        if (need == null) return "";
        return need.localBytes() == 0
                ? Integer.toString(need.registers())
                : "**%d, %d**".formatted(need.registers(), need.localBytes());
    }
}
