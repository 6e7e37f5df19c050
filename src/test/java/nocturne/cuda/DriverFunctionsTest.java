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
/// The binding was made for CUDA 13.1 and finds its functions when they are called: one that a driver or a library of
/// 13.0 does not have ends the process, without an exception.
final class DriverFunctionsTest {
    private static final String BINDING = "org/bytedeco/cuda/global/";

    @Test
    void onlyFunctionsThatADriverOfThirteenHasAreCalled() throws IOException {
        Set<String> called = called("cudart.");
        assertThat(called).hasSizeGreaterThan(20).contains("cuLaunchKernel", "cuMemAlloc");
        Set<String> there = there("driver-13.0.txt");
        assertThat(there).hasSizeGreaterThan(400);
        assertThat(called).isSubsetOf(there);
    }

    @Test
    void onlyFunctionsThatCublasLtOfThirteenHasAreCalled() throws IOException {
        assertThat(called("cublas.")).hasSizeGreaterThan(10).contains("cublasLtMatmul")
                .isSubsetOf(there("cublaslt-13.0.txt"));
    }

    @Test
    void nothingElseOfTheBindingsIsCalled() throws IOException {
        assertThat(called("")).allSatisfy(function ->
                assertThat(function).matches("cudart\\.cu[A-Z].*|cublas\\.cublasLt.*"));
    }

    /// `cuMemAlloc_v2` is what a call of `cuMemAlloc` means.
    private static Set<String> there(String name) throws IOException {
        try (InputStream list = DriverFunctionsTest.class.getResourceAsStream(name)) {
            return new String(list.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(symbol -> symbol.replaceFirst("_v\\d+$", "")).collect(Collectors.toSet());
        }
    }

    /// @param binding that the functions' names follow, which is left out
    private static Set<String> called(String binding) throws IOException {
        return called().stream().filter(function -> function.startsWith(binding))
                .map(function -> function.substring(binding.length())).collect(Collectors.toSet());
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
