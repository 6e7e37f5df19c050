package nocturne.cuda;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/// The driver's answers that somebody can do something about, with what they say about the next step.
///
/// Names, numbers and which of them leave a process unusable: `CUresult` of the CUDA 13.0 driver API.
enum CudaError {
    OUT_OF_MEMORY(2, Blame.MEMORY),
    STUB_LIBRARY(34, Blame.MACHINE),
    /// Somebody else has the card for himself, or it is being reset.
    DEVICE_UNAVAILABLE(46, Blame.MACHINE),
    NO_DEVICE(100, Blame.MACHINE),
    INVALID_DEVICE(101, Blame.MACHINE),
    DEVICE_NOT_LICENSED(102, Blame.MACHINE),
    INVALID_IMAGE(200, Blame.PROGRAM),
    NO_BINARY_FOR_GPU(209, Blame.PROGRAM),
    ECC_UNCORRECTABLE(214, Blame.MACHINE),
    NVLINK_UNCORRECTABLE(220, Blame.MACHINE),
    CONTAINED(226, Blame.MACHINE),
    OPERATING_SYSTEM(304, Blame.MACHINE),
    NOT_FOUND(500, Blame.PROGRAM),
    ILLEGAL_ADDRESS(700, Blame.KERNEL),
    /// Not sticky: nothing was started.
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
    SYSTEM_NOT_READY(802, Blame.MACHINE),
    SYSTEM_DRIVER_MISMATCH(803, Blame.MACHINE),
    COMPAT_NOT_SUPPORTED_ON_DEVICE(804, Blame.MACHINE),
    EXTERNAL_DEVICE(911, Blame.MACHINE),
    KEY_ROTATION(916, Blame.MACHINE),
    /// What a card answers that fell off the bus, among others.
    UNKNOWN(999, Blame.MACHINE),
    /// Any other number: a call that makes no sense.
    OTHER(-1, Blame.PROGRAM);

    /// Who has to do something.
    enum Blame {
        /// The card is too small for what is asked of it.
        MEMORY,
        /// The card, its driver, or whoever else uses it. The context may be gone.
        MACHINE,
        /// A kernel went wrong, by its own fault or by the card's: that shows in a new process. The context is gone,
        /// every further call answers the same.
        KERNEL,
        /// We called the driver wrongly.
        PROGRAM
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
        String name = error == OTHER ? "" : " (" + error.name().toLowerCase(Locale.ROOT).replace('_', ' ')
                + ")";
        return "CUDA error " + code + name;
    }
}
