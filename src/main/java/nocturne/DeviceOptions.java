package nocturne;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import nocturne.cpu.CpuBackend;
import nocturne.cuda.Card;
import nocturne.cuda.CudaBackend;
import nocturne.cuda.CudaDevice;
import nocturne.cuda.CudaLibraries;
import nocturne.cuda.CudaPresence;
import nocturne.cuda.CudaProbe;
import nocturne.cuda.CudaSettings;
import nocturne.cuda.ProductMode;
import nocturne.cuda.ProductSource;
import nocturne.io.DType;
import nocturne.problem.SickMachine;
import nocturne.tensor.Backend;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// Where a command computes: the options that `train` and `bench` share.
final class DeviceOptions {
    private static final Pattern CUDA = Pattern.compile("cuda:(\\d{1,3})");

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "cpu, or cuda:0 for the first NVIDIA card, cuda:1 for the second. Default: ${DEFAULT-VALUE}."
                    + " 'nocturne devices' lists what there is.",
            defaultValue = "cpu")
    private String name = "cpu";

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads to compute with; results are the same bits for the same number."
                    + " Default: one for each processor.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--eight-bit",
            description = "On a card: multiply the frozen weights in 8 bits, in the layers where that is tried on the"
                    + " first pictures and close enough. Needs a model in codes (model.qtype).")
    private boolean eightBit;

    @Option(
            names = "--gemm",
            paramLabel = "WHOSE",
            description = "On a card: whose code multiplies matrices: ${COMPLETION-CANDIDATES}. own is our own kernels;"
                    + " cublas is NVIDIA's cuBLASLt, and no run without it; auto takes it where it is found and works."
                    + " Default: ${DEFAULT-VALUE}. A run that goes on with the other gives other bits.",
            defaultValue = "auto")
    private ProductSource products = ProductSource.AUTO;

    @Mixin
    private LibraryOptions libraries = new LibraryOptions();

    private @Nullable Card card;

    DeviceOptions() {}

    String name() {
        return name;
    }

    int threads() {
        return threads;
    }

    /// Refuses what no machine could do, or this one cannot; to be called before anything else.
    ///
    /// @throws SickMachine `DEVICE_ABSENT` if there is no such card, or none that can be used
    void check(CommandLine command) {
        Matcher cuda = CUDA.matcher(name);
        if (!name.equals("cpu") && !cuda.matches()) {
            throw new ParameterException(command,
                    "--device " + name + ": no such device; write cpu, or cuda:0 and so on.");
        }
        if (threads < 1 || threads > 1024) {
            throw new ParameterException(command, "--threads " + threads + ": from 1 to 1024, please.");
        }
        if (eightBit && name.equals("cpu")) {
            throw new ParameterException(command, "--eight-bit: the processor does not; choose a card with --device.");
        }
        if (products == ProductSource.CUBLAS && name.equals("cpu")) {
            throw new ParameterException(command, "--gemm cublas: is for a card; choose one with --device.");
        }
        libraries.check(command);
        if (!name.equals("cpu")) card = card(Integer.parseInt(cuda.group(1)), CudaProbe.look());
    }

    private Card card(int index, CudaPresence presence) {
        return switch (presence) {
            case CudaPresence.Absent absent ->
                    throw absent("%s. %s".formatted(absent.reason(), absent.remedy()));
            case CudaPresence.Found found -> card(index, found.cards());
        };
    }

    private Card card(int index, List<Card> cards) {
        if (index >= cards.size()) {
            String there = cards.stream().map(card -> card.device() + " is " + card.name())
                    .collect(Collectors.joining(", "));
            throw absent("there is no such card; %s. CUDA_VISIBLE_DEVICES decides what is counted.".formatted(there));
        }
        Card chosen = cards.get(index);
        if (!chosen.isUsable()) {
            throw absent("%s is too old; compute capability 8.0 or higher is needed.".formatted(chosen));
        }
        return chosen;
    }

    private SickMachine absent(String why) {
        return new SickMachine("DEVICE_ABSENT", "--device " + name + ": " + why, null);
    }

    /// Opens the device that [#check] has found. The caller closes it.
    ///
    /// @param threads to compute with on the processor
    Backend open(int threads) {
        Card chosen = card;
        if (chosen == null) return new CpuBackend(threads);
        CudaSettings settings =
                new CudaSettings(DType.BF16, eightBit ? ProductMode.EIGHT_BIT : ProductMode.DECODED);
        return new CudaBackend(
                CudaDevice.open(chosen, CudaLibraries.find(libraries.folder()), products), settings);
    }

    /// Where NVIDIA's libraries are: an option of whatever may load them.
    static final class LibraryOptions {
        private static final String VARIABLE = "NOCTURNE_CUDA_LIBS";

        @Option(
                names = "--cuda-libs",
                paramLabel = "DIR",
                description = "Where to look for NVIDIA's libraries first: a folder with them, a CUDA toolkit, or"
                        + " Python's site-packages. Default: $" + VARIABLE + ". The usual places come after it.")
        private @Nullable Path folder = fromEnvironment();

        LibraryOptions() {}

        private static @Nullable Path fromEnvironment() {
            String named = System.getenv(VARIABLE);
            return named == null || named.isBlank() ? null : Path.of(named);
        }

        void check(CommandLine command) {
            if (folder != null && !Files.isDirectory(folder)) {
                throw new ParameterException(command, "--cuda-libs " + folder + ": no such folder.");
            }
        }

        @Nullable Path folder() {
            return folder;
        }
    }
}
