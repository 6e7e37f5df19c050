package nocturne.cuda;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import nocturne.cuda.Card.Capability;
import nocturne.problem.SickMachine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Where images come from: a pretended jar, a real cache folder, a compiler whose images say what they were made of.
final class KernelImagesTest {
    private static final KernelSources SOURCES = sources("one", "two");

    @TempDir
    private Path folder;

    private final Map<String, byte[]> jar = new TreeMap<>();
    private final List<String> compiled = Collections.synchronizedList(new ArrayList<>());

    @Test
    void whatTheBuildCompiledIsTaken() {
        pack(SOURCES, "sm_90a");
        assertThat(images(SOURCES, card(9, 0))).containsExactly("packed one sm_90a", "packed two sm_90a");
        assertThat(compiled).isEmpty();
    }

    @Test
    void withinAGenerationAnOlderImageWillDoButForThoseOfOneArchitecture() {
        pack(SOURCES, "sm_80");
        assertThat(images(SOURCES, card(8, 7))).containsExactly("packed one sm_80", "packed two sm_80");
        pack(SOURCES, "sm_86");
        assertThat(images(SOURCES, card(8, 7))).containsExactly("packed one sm_86", "packed two sm_86");
        assertThat(images(SOURCES, card(8, 0))).containsExactly("packed one sm_80", "packed two sm_80");
        assertThat(compiled).isEmpty();

        pack(SOURCES, "sm_120a");
        images(SOURCES, card(12, 1));
        assertThat(compiled).containsExactlyInAnyOrder("one sm_121a", "two sm_121a");
    }

    @Test
    void imagesOfOtherSourcesAreNotTaken() {
        pack(sources("one", "two as it was"), "sm_80");
        assertThat(images(SOURCES, card(8, 0))).containsExactly("compiled one sm_80", "compiled two sm_80");
    }

    @Test
    void aBuildThatLeftAFamilyOutIsNotTaken() {
        pack(SOURCES, "sm_80");
        jar.remove("sm_80/two.cubin");
        assertThat(images(SOURCES, card(8, 0))).containsExactly("compiled one sm_80", "compiled two sm_80");
    }

    @Test
    void whatWasCompiledOnceIsKeptForTheNextProcess() throws IOException {
        List<String> first = images(SOURCES, card(8, 9));
        assertThat(compiled).containsExactlyInAnyOrder("one sm_89", "two sm_89");
        assertThat(images(SOURCES, card(8, 9))).isEqualTo(first);
        assertThat(compiled).hasSize(2);
        assertThat(files()).hasSize(2);
    }

    @Test
    void whatDecidesTheResultDecidesWhetherItIsCompiledAgain() {
        images(SOURCES, card(8, 9));
        images(sources("one", "two, changed"), card(8, 9));
        assertThat(compiled.subList(2, compiled.size())).containsExactly("two sm_89");
        images(SOURCES, card(8, 6));
        assertThat(compiled.subList(3, compiled.size())).containsExactlyInAnyOrder("one sm_86", "two sm_86");
        new KernelImages(SOURCES, this::packed, new KernelCache(folder), () -> Optional.of(compiler("NVRTC 13.7")))
                .on(card(8, 6));
        assertThat(compiled.subList(5, compiled.size())).containsExactlyInAnyOrder("one sm_86", "two sm_86");
    }

    @Test
    void withoutImagesAndCompilerTheCardCannotBeUsed() {
        KernelImages images = new KernelImages(SOURCES, this::packed, new KernelCache(folder), Optional::empty);
        assertThatThrownBy(() -> images.on(card(12, 1)))
                .isInstanceOfSatisfying(SickMachine.class,
                        problem -> assertThat(problem.code()).isEqualTo("DEVICE_KERNELS"))
                .hasMessageStartingWith("there are no kernels for Card (compute capability 12.1, 24.0 GiB): ")
                .hasMessageContainingAll("nvidia-cuda-nvrtc", "--cuda-libs", "-Pcubins");
    }

    @Test
    void aCacheThatCannotBeWrittenOnlyCostsTime() throws IOException {
        Path blocked = Files.writeString(folder.resolve("file"), "").resolve("cache");
        KernelImages images = new KernelImages(SOURCES, this::packed, new KernelCache(blocked),
                () -> Optional.of(compiler("NVRTC 13.1")));
        assertThat(images.on(card(8, 0))).hasSize(2);
        assertThat(images.on(card(8, 0))).hasSize(2);
        assertThat(compiled).hasSize(4);
    }

    private List<String> images(KernelSources sources, Card card) {
        return new KernelImages(sources, this::packed, new KernelCache(folder),
                () -> Optional.of(compiler("NVRTC 13.1"))).on(card)
                .stream().map(image -> new String(image, UTF_8)).toList();
    }

    private KernelCompiler compiler(String version) {
        return new KernelCompiler() {
            @Override
            public String version() {
                return version;
            }

            @Override
            public byte[] compile(KernelSources sources, String family, String architecture) {
                compiled.add(family + " " + architecture);
                return ("compiled " + family + " " + architecture).getBytes(UTF_8);
            }
        };
    }

    private Optional<byte[]> packed(String name) {
        return Optional.ofNullable(jar.get(name));
    }

    private void pack(KernelSources sources, String architecture) {
        jar.put("sources.sha256", (sources.hash() + "\n").getBytes(UTF_8));
        for (String family : sources.units().keySet()) {
            jar.put(architecture + "/" + family + ".cubin", ("packed " + family + " " + architecture).getBytes(UTF_8));
        }
    }

    private static KernelSources sources(String one, String two) {
        SequencedMap<String, String> units = new TreeMap<>(Map.of("one", one, "two", two));
        return new KernelSources(units, new TreeMap<>());
    }

    private static Card card(int major, int minor) {
        return new Card(0, "Card", new Capability(major, minor), 24L << 30);
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}
