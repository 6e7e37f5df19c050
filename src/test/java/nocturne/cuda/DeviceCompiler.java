package nocturne.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Compiles kernels for cards with nvcc, to learn what they need of a card: no card is there to run them.
///
/// What the compiler said about a file lies in `target/kernels/device` under the hash of all that went into it, so that
/// nothing is compiled twice.
final class DeviceCompiler {
    /// The architectures we ship for; cards of others run the one below theirs.
    static final List<String> ARCHITECTURES = List.of("80", "86", "89", "90a", "100a", "120a");

    private static final String COMPILER = "nvcc";
    private static final Path OUTPUT = Path.of("target", "kernels", "device");

    private static final Pattern KERNEL = Pattern.compile("Compiling entry function '(\\w+)' for 'sm_(\\w+)'");
    private static final Pattern MEMORY =
            Pattern.compile("(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");
    private static final Pattern REGISTERS = Pattern.compile("Used (\\d+) registers");
    private static final Pattern SHARED = Pattern.compile("(\\d+) bytes smem");

    /// What a thread or block of a kernel takes on one architecture.
    ///
    /// @param registers   of each thread
    /// @param localBytes  of each thread: spilled registers and arrays on the stack
    /// @param sharedBytes of each block, without what the launch adds
    record Needs(String kernel, String architecture, int registers, int localBytes, int sharedBytes) {}

    private DeviceCompiler() {}

    static boolean isInstalled() {
        return Programs.find(COMPILER);
    }

    /// @throws IllegalStateException with the compiler's words, if it refuses or warns
    static List<Needs> needs(Path source) throws IOException {
        List<String> command = new ArrayList<>(List.of(COMPILER, "-std=c++17", "-Werror", "all-warnings", "-fatbin",
                "--resource-usage", "--threads", "2", "-I" + HostCompiler.KERNELS));
        for (String architecture : ARCHITECTURES) {
            command.add("-gencode=arch=compute_%s,code=sm_%s".formatted(architecture, architecture));
        }
        StringBuilder inputs = new StringBuilder(String.join(" ", command)).append(source);
        inputs.append(Programs.run(List.of(COMPILER, "--version")));
        for (Path header : HostCompiler.filesIn(HostCompiler.KERNELS, ".cuh")) inputs.append(Files.readString(header));
        inputs.append(Files.readString(source));
        Path said = OUTPUT.resolve(Programs.hash(inputs.toString()) + ".txt");
        Programs.make(said, unfinished -> {
            Path binary = Files.createTempFile("kernels", ".fatbin");
            try {
                command.addAll(List.of(source.toString(), "-o", binary.toString()));
                Files.writeString(unfinished, Programs.run(command));
            } finally {
                Files.delete(binary);
            }
        });
        return parse(Files.readAllLines(said));
    }

    /// The lines of `ptxas -v`: for each kernel one with its name, one about memory, one about registers.
    static List<Needs> parse(List<String> lines) {
        List<Needs> needs = new ArrayList<>();
        String kernel = null;
        String architecture = null;
        int localBytes = 0;
        for (String line : lines) {
            Matcher begins = KERNEL.matcher(line);
            Matcher memory = MEMORY.matcher(line);
            Matcher registers = REGISTERS.matcher(line);
            if (begins.find()) {
                kernel = begins.group(1);
                architecture = begins.group(2);
            } else if (memory.find()) {
                localBytes = Math.max(Integer.parseInt(memory.group(1)),
                        Math.max(Integer.parseInt(memory.group(2)), Integer.parseInt(memory.group(3))));
            } else if (registers.find() && kernel != null) {
                Matcher shared = SHARED.matcher(line);
                needs.add(new Needs(kernel, architecture, Integer.parseInt(registers.group(1)), localBytes,
                        shared.find() ? Integer.parseInt(shared.group(1)) : 0));
                kernel = null;
            }
        }
        return needs;
    }
}
