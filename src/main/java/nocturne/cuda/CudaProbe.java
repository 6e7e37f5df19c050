package nocturne.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import nocturne.cuda.Card.Capability;
import nocturne.cuda.CudaPresence.Absent;
import nocturne.cuda.CudaPresence.Found;

/// Asks the driver itself which cards there are, without JavaCPP's bindings: where there is no driver, those fail to
/// load, and fail for ever in that process.
///
/// Opens no context, so it takes no memory on a card and disturbs nobody; how much memory is free it therefore cannot
/// tell. A broken driver may hang or crash whoever asks: a service should let a child ask.
public final class CudaProbe {
    /// What the driver must speak; a newer one runs our kernels as well.
    static final int OLDEST_DRIVER = 13_000;

    private static final String DRIVER = "libcuda.so.1";
    private static final int NAME_BYTES = 256;
    private static final int CAPABILITY_MAJOR = 75;
    private static final int CAPABILITY_MINOR = 76;
    private static final String UPDATE =
            "Install NVIDIA driver 580 or newer; in a container that is the host's driver.";

    private CudaProbe() {}

    /// Looks; throws nothing.
    public static CudaPresence look() {
        NativeLibrary driver;
        try {
            driver = NativeLibrary.named(DRIVER);
        } catch (IllegalArgumentException notThere) {
            return new Absent(DRIVER + ", which comes with NVIDIA's driver, cannot be opened",
                    "If there is a card, install its driver; in a container, start it with --gpus all.");
        }
        try (Arena arena = Arena.ofConfined()) {
            return new Calls(driver, arena).look();
        } catch (UnsatisfiedLinkError incomplete) {
            return new Absent(DRIVER + " is not what it should be: " + incomplete.getMessage(), UPDATE);
        } catch (RuntimeException unexpected) {
            return new Absent("asking the driver failed: " + unexpected, "Please report this.");
        }
    }

    /// A call that was refused.
    private static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final String reason;
        private final int code;

        Refused(String function, int code) {
            this.reason = function + " answered with " + CudaError.spelled(code);
            this.code = code;
        }

        Absent absent() {
            return new Absent(reason, remedy(code));
        }
    }

    /// The driver's functions, and memory for what they answer.
    private static final class Calls {
        private final MethodHandle init;
        private final MethodHandle version;
        private final MethodHandle count;
        private final MethodHandle device;
        private final MethodHandle name;
        private final MethodHandle attribute;
        private final MethodHandle memory;
        private final MemorySegment number;
        private final MemorySegment text;

        Calls(NativeLibrary driver, Arena arena) {
            ValueLayout.OfInt i = ValueLayout.JAVA_INT;
            ValueLayout.OfLong address = NativeLibrary.ADDRESS;
            init = driver.function("cuInit", i);
            version = driver.function("cuDriverGetVersion", address);
            count = driver.function("cuDeviceGetCount", address);
            device = driver.function("cuDeviceGet", address, i);
            name = driver.function("cuDeviceGetName", address, i, i);
            attribute = driver.function("cuDeviceGetAttribute", address, i, i);
            memory = driver.function("cuDeviceTotalMem_v2", address, i);
            number = arena.allocate(Long.BYTES, Long.BYTES);
            text = arena.allocate(NAME_BYTES);
        }

        CudaPresence look() {
            try {
                require("cuInit", () -> (int) init.invokeExact(0));
                int driver = answer("cuDriverGetVersion", () -> (int) version.invokeExact(number.address()));
                if (driver < OLDEST_DRIVER) {
                    return new Absent("the driver speaks CUDA %s, and %s is needed".formatted(
                            CudaPresence.spelled(driver), CudaPresence.spelled(OLDEST_DRIVER)), UPDATE);
                }
                int cards = answer("cuDeviceGetCount", () -> (int) count.invokeExact(number.address()));
                List<Card> found = new ArrayList<>();
                for (int index = 0; index < cards; index++) found.add(card(index));
                return judged(driver, found);
            } catch (Refused refused) {
                return refused.absent();
            }
        }

        private Card card(int index) {
            int handle = answer("cuDeviceGet", () -> (int) device.invokeExact(number.address(), index));
            // One byte less than there is, so that the text ends whatever the driver writes.
            require("cuDeviceGetName",
                    () -> (int) name.invokeExact(text.fill((byte) 0).address(), NAME_BYTES - 1, handle));
            Capability capability = new Capability(attribute(CAPABILITY_MAJOR, handle),
                    attribute(CAPABILITY_MINOR, handle));
            require("cuDeviceTotalMem", () -> (int) memory.invokeExact(number.address(), handle));
            return new Card(index, text.getString(0).strip(), capability, number.get(ValueLayout.JAVA_LONG, 0));
        }

        private int attribute(int which, int handle) {
            return answer("cuDeviceGetAttribute",
                    () -> (int) attribute.invokeExact(number.address(), which, handle));
        }

        /// The number that a function has written.
        private int answer(String function, Call call) {
            require(function, call);
            return number.get(ValueLayout.JAVA_INT, 0);
        }

        private static void require(String function, Call call) {
            int code;
            try {
                code = call.make();
            } catch (Throwable impossible) {
                throw new IllegalStateException(function, impossible);
            }
            if (code != 0) throw new Refused(function, code);
        }
    }

    private interface Call {
        int make() throws Throwable;
    }

    private static CudaPresence judged(int driver, List<Card> cards) {
        if (cards.isEmpty()) return new Absent("the driver sees no card", remedy(CudaError.NO_DEVICE.number()));
        if (cards.stream().anyMatch(Card::isUsable)) return new Found(driver, cards);
        String names = cards.stream().map(Card::toString).collect(Collectors.joining(", "));
        return new Absent("no card is new enough: " + names,
                "Compute capability %s or higher is needed: Ampere, which came in 2020, and all that followed."
                        .formatted(Capability.OLDEST));
    }

    private static String remedy(int code) {
        return switch (CudaError.of(code)) {
            case NO_DEVICE -> "If there is a card, look whether nvidia-smi lists it and whether CUDA_VISIBLE_DEVICES"
                    + " hides it; in a container, start it with --gpus all.";
            case STUB_LIBRARY -> "The toolkit's stub was found in the driver's place: take the folder \"stubs\" out of"
                    + " LD_LIBRARY_PATH.";
            case SYSTEM_DRIVER_MISMATCH -> "The driver was updated under a running system: start the machine anew.";
            case COMPAT_NOT_SUPPORTED_ON_DEVICE -> "The forward-compatible driver in LD_LIBRARY_PATH does not work with"
                    + " this card: take its folder \"compat\" out, or update the machine's own driver.";
            default -> "Mend the driver (does nvidia-smi work? is its module loaded?), or start the machine anew.";
        };
    }
}
