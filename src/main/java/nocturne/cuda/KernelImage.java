package nocturne.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A family of kernels, compiled.
///
/// @param bytes a cubin
/// @param words what the compiler said beside it; with the right option, what each kernel takes
record KernelImage(byte[] bytes, String words) {
    private static final Pattern USAGE = Pattern.compile("Compiling entry function '(\\w+)'.*?"
            + "(\\d+) bytes spill stores, (\\d+) bytes spill loads.*?Used (\\d+) registers"
            + "(?:[^\\n]*?(\\d+) bytes smem)?",
            Pattern.DOTALL);

    /// What a kernel takes of a multiprocessor.
    ///
    /// @param spilledBytes that each thread writes to memory and reads back for want of registers
    /// @param sharedBytes  of static shared memory
    record Usage(String kernel, int registers, int spilledBytes, int sharedBytes) {}

    /// By the compiler's words, in its order.
    List<Usage> usages() {
        List<Usage> usages = new ArrayList<>();
        Matcher found = USAGE.matcher(words);
        while (found.find()) {
            usages.add(new Usage(found.group(1), Integer.parseInt(found.group(4)),
                    Integer.parseInt(found.group(2)) + Integer.parseInt(found.group(3)),
                    found.group(5) == null ? 0 : Integer.parseInt(found.group(5))));
        }
        return usages;
    }
}
