package nocturne.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import nocturne.io.ContentHash;
import nocturne.problem.SickMachine;

/// All kernels in the form a card runs: one image for each family.
///
/// They are taken, in this order, from the program itself, if its build compiled them from the very sources it brings;
/// from the cache of what was compiled on this machine before; from NVRTC.
final class KernelImages {
    /// Where a build puts images: `<architecture>/<family>.cubin`, and what they were made of in [#SOURCES_HASH].
    static final String RESOURCES = "nocturne/cubins";
    static final String SOURCES_HASH = "sources.sha256";

    /// Reads what the program brings along; empty where there is no such thing.
    interface Resources {
        Optional<byte[]> read(String name);
    }

    private final KernelSources sources;
    private final Resources resources;
    private final KernelCache cache;
    private final Supplier<Optional<KernelCompiler>> compiler;

    /// @param compiler asked only if it is needed; empty where there is none
    KernelImages(KernelSources sources, Resources resources, KernelCache cache,
            Supplier<Optional<KernelCompiler>> compiler) {
        this.sources = sources;
        this.resources = resources;
        this.cache = cache;
        this.compiler = compiler;
    }

    /// Of this program on this machine.
    static KernelImages ofProgram(CudaLibraries libraries) {
        return new KernelImages(KernelSources.ofProgram(), KernelImages::resource, KernelCache.of(System.getenv()),
                () -> libraries.file(CudaLibrary.NVRTC).map(file -> Nvrtc.of(libraries)));
    }

    private static Optional<byte[]> resource(String name) {
        try (InputStream in = KernelImages.class.getClassLoader().getResourceAsStream(RESOURCES + "/" + name)) {
            return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
        } catch (IOException e) {
            throw new IllegalStateException("the program cannot read its own " + name, e);
        }
    }

    /// The images for a card, in the order of their families.
    ///
    /// @throws SickMachine `DEVICE_KERNELS` if there are none and no compiler to make them
    List<byte[]> on(Card card) {
        return packed(card).orElseGet(() -> compiled(card));
    }

    /// Whether the program brings them all along.
    boolean hasPacked(Card card) {
        return packed(card).isPresent();
    }

    private Optional<List<byte[]>> packed(Card card) {
        Optional<byte[]> madeOf = resources.read(SOURCES_HASH);
        // Left over from an earlier build, they would be older than the calls.
        if (madeOf.isEmpty() || !sources.hash().equals(new String(madeOf.get(), StandardCharsets.US_ASCII).strip())) {
            return Optional.empty();
        }
        for (String architecture : Architecture.runningOn(card.capability())) {
            List<byte[]> images = new ArrayList<>();
            for (String family : sources.units().keySet()) {
                resources.read(architecture + "/" + family + ".cubin").ifPresent(images::add);
            }
            if (images.size() == sources.units().size()) return Optional.of(images);
        }
        return Optional.empty();
    }

    private List<byte[]> compiled(Card card) {
        KernelCompiler found = compiler.get().orElseThrow(() -> new SickMachine("DEVICE_KERNELS",
                ("there are no kernels for %s: this build brings none for it, and NVRTC, which would compile them, was"
                        + " not found. Install it (cuda-nvrtc-13-0, or pip install nvidia-cuda-nvrtc) or name its"
                        + " folder with --cuda-libs; or build with: mvn package -Pcubins").formatted(card), null));
        String architecture = Architecture.of(card.capability());
        // The compiler takes seconds for each family, and one thread.
        return sources.units().keySet().parallelStream()
                .map(family -> cache.get(key(found, family, architecture),
                        () -> found.compile(sources, family, architecture)))
                .toList();
    }

    private String key(KernelCompiler compiler, String family, String architecture) {
        ContentHash hash = new ContentHash().add(sources.hash(family)).add(architecture).add(compiler.version());
        KernelCompiler.OPTIONS.forEach(hash::add);
        return hash.hex();
    }
}
