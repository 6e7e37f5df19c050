package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.instruction.InvokeInstruction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Which of the binding's functions the program calls, as its class files say.
///
/// The binding was made for CUDA 13.1 and finds its functions when they are called: one that a driver of 13.0 does not
/// have ends the process, without an exception.
final class DriverFunctionsTest {
    private static final String BINDING = "org/bytedeco/cuda/global/";

    @Test
    void onlyFunctionsThatADriverOfThirteenHasAreCalled() throws IOException {
        Set<String> called = called();
        assertThat(called).hasSizeGreaterThan(20).contains("cudart.cuLaunchKernel", "cudart.cuMemAlloc");
        assertThat(called).allSatisfy(function -> assertThat(function).startsWith("cudart.cu"));
        Set<String> there = there();
        assertThat(there).hasSizeGreaterThan(400);
        assertThat(called).extracting(function -> function.substring("cudart.".length())).isSubsetOf(there);
    }

    /// `cuMemAlloc_v2` is what a call of `cuMemAlloc` means.
    private static Set<String> there() throws IOException {
        try (InputStream list = DriverFunctionsTest.class.getResourceAsStream("driver-13.0.txt")) {
            return new String(list.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(symbol -> symbol.replaceFirst("_v\\d+$", "")).collect(Collectors.toSet());
        }
    }

    private static Set<String> called() throws IOException {
        Set<String> called = new TreeSet<>();
        try (Stream<Path> files = Files.walk(Path.of("target/classes/nocturne"))) {
            List<Path> classes = files.filter(file -> file.toString().endsWith(".class")).toList();
            for (Path file : classes) {
                ClassFile.of().parse(file).methods().forEach(method -> method.code().ifPresent(code ->
                        code.forEach(element -> {
                            if (element instanceof InvokeInstruction call
                                    && call.owner().asInternalName().startsWith(BINDING)) {
                                String owner = call.owner().asInternalName().substring(BINDING.length());
                                called.add(owner + "." + call.name().stringValue());
                            }
                        })));
            }
        }
        return called;
    }
}
