package nocturne.cuda;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import nocturne.problem.SickMachine;

/// The driver's answers that somebody can do something about, with what they say about the next step.
///
/// Names and numbers, and which of them leave a process unusable: `CUresult` of the CUDA 13.0 driver API.
enum CudaError {
    OUT_OF_MEMORY(2, Blame.MEMORY),
    STUB_LIBRARY(34, Blame.DRIVER),
    DEVICE_UNAVAILABLE(46, Blame.TAKEN),
    NO_DEVICE(100, Blame.LOST),
    INVALID_DEVICE(101, Blame.LOST),
    DEVICE_NOT_LICENSED(102, Blame.DRIVER),
    ECC_UNCORRECTABLE(214, Blame.DAMAGED),
    NVLINK_UNCORRECTABLE(220, Blame.DAMAGED),
    CONTAINED(226, Blame.DAMAGED),
    OPERATING_SYSTEM(304, Blame.LOST),
    NOT_FOUND(500, Blame.PROGRAM),
    ILLEGAL_ADDRESS(700, Blame.KERNEL),
    /// Nothing was started, so nothing is broken.
    LAUNCH_OUT_OF_RESOURCES(701, Blame.PROGRAM),
    LAUNCH_TIMEOUT(702, Blame.KERNEL),
    ASSERT(710, Blame.KERNEL),
    HARDWARE_STACK_ERROR(714, Blame.KERNEL),
    ILLEGAL_INSTRUCTION(715, Blame.KERNEL),
    MISALIGNED_ADDRESS(716, Blame.KERNEL),
    INVALID_ADDRESS_SPACE(717, Blame.KERNEL),
    INVALID_PC(718, Blame.KERNEL),
    LAUNCH_FAILED(719, Blame.KERNEL),
    TENSOR_MEMORY_LEAK(721, Blame.KERNEL),
    SYSTEM_NOT_READY(802, Blame.DRIVER),
    SYSTEM_DRIVER_MISMATCH(803, Blame.DRIVER),
    COMPAT_NOT_SUPPORTED_ON_DEVICE(804, Blame.DRIVER),
    EXTERNAL_DEVICE(911, Blame.LOST),
    KEY_ROTATION(916, Blame.LOST),
    /// What a card answers that fell off the bus, among others.
    UNKNOWN(999, Blame.LOST),
    /// Any other number: a call that makes no sense.
    OTHER(-1, Blame.PROGRAM);

    /// Where an error comes from, and what to do.
    enum Blame {
        /// The card is too small for what is asked of it.
        MEMORY("GPU_OUT_OF_MEMORY", "Lower what the job needs, or end what else runs on the card."),
        TAKEN("DEVICE_UNAVAILABLE", "Another program has the card for itself, or it is being reset: see nvidia-smi."),
        DAMAGED("DEVICE_DAMAGED", "The card's memory or a link lost data: nvidia-smi -q -d ECC tells more. Reset the"
                + " card before it is used again."),
        LOST("DEVICE_LOST", "The machine may have lost the card: look for \"Xid\" in dmesg and at nvidia-smi, then"
                + " reset the card or restart the machine."),
        DRIVER("DEVICE_DRIVER", "The driver does not fit this machine or its kernel: install it anew, or restart the"
                + " machine."),
        /// A kernel went wrong, by its own fault or by the card's: a new process will tell. In this one every further
        /// call answers the same.
        KERNEL("DEVICE_ERROR_", "Start again: the run goes on from its last saved state. If it comes back at the same"
                + " step, report it, with what CUDA_LAUNCH_BLOCKING=1 in the environment makes of this message."),
        /// We called the driver wrongly; report it.
        PROGRAM("", "");

        private final String code;
        private final String remedy;

        Blame(String code, String remedy) {
            this.code = code;
            this.remedy = remedy;
        }

        /// Whether a process that has met such an error can go on using the card.
        boolean isSticky() {
            return this == DAMAGED || this == LOST || this == KERNEL;
        }
    }

    private static final Map<Integer, CudaError> BY_NUMBER =
            Arrays.stream(values()).collect(Collectors.toMap(CudaError::number, Function.identity()));

    private final int number;
    private final Blame blame;

    CudaError(int number, Blame blame) {
        this.number = number;
        this.blame = blame;
    }

    int number() {
        return number;
    }

    Blame blame() {
        return blame;
    }

    static CudaError of(int code) {
        return BY_NUMBER.getOrDefault(code, OTHER);
    }

    /// For messages: `CUDA error 700 (illegal address)`.
    static String spelled(int code) {
        CudaError error = of(code);
        String name = error == OTHER ? "" : " (" + error.name().toLowerCase(Locale.ROOT).replace('_', ' ') + ")";
        return "CUDA error " + code + name;
    }

    /// What an answer of the driver means to whoever called.
    ///
    /// @param code  not 0
    /// @param doing what was asked of the driver, such as `launching silu_bf16`
    /// @return a [SickMachine] with one of the codes above, or, for our own mistakes, an [IllegalStateException]
    static RuntimeException failure(int code, String doing) {
        CudaError error = of(code);
        String what = doing + ": " + spelled(code) + ".";
        if (error.blame == Blame.PROGRAM) return new IllegalStateException(what);
        String name = error.blame == Blame.KERNEL ? error.blame.code + code : error.blame.code;
        return new SickMachine(name, what + " " + error.blame.remedy, null);
    }
}
