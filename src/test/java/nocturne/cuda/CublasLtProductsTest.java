package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import nocturne.cuda.Card.Capability;
import nocturne.cuda.PretendedDriver.Eager;
import nocturne.cuda.SimulatedDevice.Order;
import nocturne.io.DType;
import nocturne.problem.SickMachine;
import nocturne.tensor.Shape;
import nocturne.tensor.Tensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Our use of cuBLASLt, through JavaCPP's binding, on a stand-in that does what NVIDIA's documentation says and
/// nothing else: `src/test/resources/nocturne/cuda/cublaslt.cpp`.
///
/// In processes of their own, in which that library, and empty ones in the place of all others, are what there is.
final class CublasLtProductsTest {
    /// The first stream that a pretended driver makes.
    private static final String COMPUTE = "1001";

    @TempDir
    private static Path folder;

    @BeforeAll
    static void build() throws Exception {
        try (InputStream source = CublasLtProductsTest.class.getResourceAsStream("cublaslt.cpp")) {
            StubDriver.compileVersioned(new String(source.readAllBytes(), StandardCharsets.UTF_8),
                    folder.resolve("libcublasLt.so.13"));
        }
        StubDriver.compileVersioned("extern \"C\" int nothing() { return 0; }", folder.resolve("libcublas.so.13"));
        StubDriver.compileVersioned("extern \"C\" int nothing() { return 0; }", folder.resolve("libcudart.so.13"));
        StubDriver.compile("extern \"C\" int nothing() { return 0; }", folder.resolve("libcuda.so.1"));
    }

    @BeforeEach
    void needsTheSimulator() {
        assumeTrue(Simulated.isWanted(), "the simulator is not wanted");
    }

    private static List<String> run(Class<?> main, String... environment) throws IOException, InterruptedException {
        Map<String, String> variables = new HashMap<>(Map.of("LD_LIBRARY_PATH", folder.toString(),
                "JDK_JAVA_OPTIONS", "--add-modules jdk.incubator.vector"));
        for (int i = 0; i < environment.length; i += 2) variables.put(environment[i], environment[i + 1]);
        ChildJvm.End end = ChildJvm.run(variables, main, folder.toString());
        assertThat(end.code()).as(end.text()).isZero();
        // Java says that it has read these options, and what it holds of such a module.
        return end.text().lines().filter(line -> !line.matches("(NOTE|WARNING): .*")).toList();
    }

    /// What the children load.
    private static CublasLt library(String folder) {
        CudaLibraries libraries = CudaLibraries.in(List.of(Path.of(folder)), Map::of);
        libraries.load(CudaLibrary.RUNTIME);
        return CublasLt.load(libraries);
    }

    /// The programs of [LibraryPrograms], and codes, whose results are compared with our own kernels'.
    @Test
    void everyProductIsWhatItShouldBe() throws Exception {
        assertThat(run(Everything.class)).containsExactly(
                "programs: %d products, %d refused".formatted(LibraryPrograms.TAKEN, LibraryPrograms.REFUSED),
                "codes: Optional.empty", "products: Optional.empty", "done");
    }

    /// What the child runs.
    static final class Everything {
        private static int taken;
        private static int refused;

        public static void main(String[] args) {
            CublasLt library = library(args[0]);
            LibraryPrograms.run(() -> new Offering(library));
            say("programs: %d products, %d refused".formatted(taken, refused));
            try (Offering device = new Offering(library);
                    LibraryTrial trial = new LibraryTrial(device, device.products)) {
                say("codes: " + trial.faultOfCodeProducts());
                say("products: " + trial.faultOfProducts());
                assertThat(device.codeProducts(16, 48)).isTrue();
                assertThat(device.codeProducts(16, 40)).as("columns that are no multiple of 16").isFalse();
                assertThat(device.codeProducts(24, 48)).as("a depth that is none").isFalse();
            }
            say("done");
        }

        /// A simulated device on whose memory the stand-in multiplies.
        private static final class Offering extends SimulatedDevice {
            private final CublasLtProducts products;

            Offering(CublasLt library) {
                super(KernelLibrary.ofTheProject(), Order.ASCENDING, 1);
                products = new CublasLtProducts(library, allocate(CublasLtProducts.WORKSPACE_BYTES), 7, true,
                        new NoQueue());
            }

            boolean codeProducts(int depth, int columns) {
                Tensor x = tensor(DType.F8_E4M3, 5, depth);
                Tensor w = tensor(DType.F8_E4M3, columns, depth);
                return products.codeProduct(x, tensor(DType.F32, 5), w, tensor(DType.F32, columns), null, 0,
                        tensor(DType.BF16, 5, columns), false);
            }

            private Tensor tensor(DType type, int... dims) {
                Shape shape = Shape.of(dims);
                return new Tensor(shape, type, allocate(type.bytes() * shape.elements()));
            }

            @Override
            public Optional<LibraryProducts> libraryProducts() {
                return Optional.of(new Counting(products));
            }

            @Override
            public void close() {
                products.close();
                super.close();
            }
        }

        private record Counting(LibraryProducts library) implements LibraryProducts {
            @Override
            public String name() {
                return library.name();
            }

            @Override
            public boolean product(Tensor a, boolean transposeA, Tensor b, boolean transposeB,
                    @Nullable Tensor bias, float alpha, float beta, Tensor c) {
                boolean done = library.product(a, transposeA, b, transposeB, bias, alpha, beta, c);
                if (done) taken++;
                else refused++;
                return done;
            }

            @Override
            public boolean codeProduct(Tensor x, Tensor xScale, Tensor w, Tensor wScale,
                    @Nullable Tensor bias, float beta, Tensor y, boolean fastSums) {
                return library.codeProduct(x, xScale, w, wScale, bias, beta, y, fastSums);
            }
        }
    }

    private static final class NoQueue implements CublasLtProducts.Queue {
        @Override
        public void enter() {}

        @Override
        public void launched(int rows, int columns, int depth) {}

        @Override
        public void finish() {}
    }

    /// On Hopper codes too; a library that cannot be used is a notice, or the end if it was asked for.
    @ParameterizedTest(name = "{0} {1}: {2}")
    @CsvSource(delimiter = '|', value = {
        "none | 0 | AUTO: cuBLASLt 13.0.4 [] codes true",
        "none | 0 | CUBLAS: cuBLASLt 13.0.4 [] codes true",
        "none | 0 | OWN: none [] codes false",
        "start | 0 | AUTO: none [matrix products are those of our own kernels: starting it: cuBLASLt 13.0.4 answered"
                + " with status 1 (not initialised). --gemm own does without it.] codes false",
        "start | 0 | CUBLAS: DEVICE_LIBRARIES --gemm cublas: starting it: cuBLASLt 13.0.4 answered with status 1 (not"
                + " initialised). --gemm own does without it.",
        "none | 120900 | AUTO: none [matrix products are those of our own kernels: cuBLASLt 12.9.0 is too old; 13.0.0"
                + " or newer is needed.] codes false",
    })
    void theDeviceTakesTheLibraryOrSaysWhyNot(String fault, String version, String expected) throws Exception {
        List<String> said = version.equals("0") ? run(Choices.class, "STANDIN_STREAM", COMPUTE, "STANDIN_FAULT", fault)
                : run(Choices.class, "STANDIN_STREAM", COMPUTE, "STANDIN_FAULT", fault, "STANDIN_VERSION", version);
        assertThat(said).contains(expected);
    }

    @Test
    void aLibraryThatMultipliesWronglyIsNotTaken() throws Exception {
        assertThat(run(Choices.class, "STANDIN_STREAM", COMPUTE, "STANDIN_FAULT", "wrong").getFirst())
                .startsWith("AUTO: none [matrix products are those of our own kernels: cuBLASLt 13.0.4: its trial went")
                .contains("beta -2.0").endsWith("Please report this.] codes false");
        assertThat(run(Choices.class, "STANDIN_STREAM", COMPUTE, "STANDIN_FAULT", "codes").getFirst())
                .startsWith("AUTO: cuBLASLt 13.0.4 [products of codes are those of our own kernels: ")
                .contains("a product of f8_e4m3 [24, 48] by [32, 48]^T + bias into bf16 with algorithm 66, reduction"
                        + " scheme 2: cuBLASLt 13.0.4 answered with status 7 (invalid value).")
                .endsWith("codes false");
        assertThat(run(Choices.class, "STANDIN_STREAM", COMPUTE, "STANDIN_FAULT", "kernel").getFirst())
                .startsWith("AUTO: none [").contains("answered with status 13 (a kernel failed)");
    }

    /// What the child runs.
    static final class Choices {
        public static void main(String[] args) {
            for (ProductSource source : ProductSource.values()) {
                Card card = new Card(0, "Card", new Capability(9, 0), 1L << 30);
                PretendedDriver driver = new PretendedDriver(Eager.COPIES).withTotal(1L << 30);
                try (CudaDevice device = CudaDevice.open(copyingAtOnce(driver), card, List.of(new byte[] {1}), 4096)) {
                    device.multiplyBy(() -> library(args[0]), source);
                    Optional<LibraryProducts> products = device.libraryProducts();
                    // The trial has given back all but the workspace, and that too where it is not used.
                    assertThat(device.usedBytes())
                            .isEqualTo(products.isEmpty() ? 0 : CublasLtProducts.WORKSPACE_BYTES);
                    say("%s: %s %s codes %s".formatted(source.name(),
                            products.map(LibraryProducts::name).orElse("none"), device.notices(),
                            products.isPresent() && multipliesCodes(device, products.get())));
                } catch (SickMachine sick) {
                    say("%s: %s %s".formatted(source.name(), sick.code(), sick.getMessage()));
                }
                assertThat(driver.live()).isEmpty();
            }
        }

        /// The stand-in multiplies when it is called, so what it is called with has to be there.
        private static Driver copyingAtOnce(Driver driver) {
            return (Driver) Proxy.newProxyInstance(Driver.class.getClassLoader(), new Class<?>[] {Driver.class},
                    (proxy, method, arguments) -> {
                        if (!method.getName().matches("copyIn|copyOut")) return method.invoke(driver, arguments);
                        long bytes = (long) arguments[2];
                        MemorySegment.ofAddress((long) arguments[0]).reinterpret(bytes)
                                .copyFrom(MemorySegment.ofAddress((long) arguments[1]).reinterpret(bytes));
                        return 0;
                    });
        }

        private static boolean multipliesCodes(Device device, LibraryProducts library) {
            MemorySegment memory = device.allocate(4096);
            Tensor codes = new Tensor(Shape.of(16, 16), DType.F8_E4M3, memory.asSlice(0, 256));
            Tensor scales = new Tensor(Shape.of(16), DType.F32, memory.asSlice(256, 64));
            Tensor y = new Tensor(Shape.of(16, 16), DType.BF16, memory.asSlice(1024, 512));
            return library.codeProduct(codes, scales, codes, scales, null, 0, y, false);
        }
    }

    private static void say(String words) {
        System.out.println(words);
        System.out.flush();
    }
}
