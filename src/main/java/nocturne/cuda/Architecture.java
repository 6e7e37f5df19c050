package nocturne.cuda;

import java.util.ArrayList;
import java.util.List;
import nocturne.cuda.Card.Capability;

/// What images are compiled for, as NVIDIA's compilers name it.
final class Architecture {
    /// Those that a release brings along.
    static final List<String> SHIPPED = List.of("sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120a");

    /// From here on there are instructions of one architecture alone, which the letter `a` asks for.
    private static final int FIRST_WITH_OWN_INSTRUCTIONS = 9;

    private Architecture() {}

    /// The one that fits a card exactly, such as `sm_90a`.
    static String of(Capability capability) {
        return "sm_%d%d%s".formatted(capability.major(), capability.minor(),
                capability.major() >= FIRST_WITH_OWN_INSTRUCTIONS ? "a" : "");
    }

    /// All whose images run on a card, the best first: those of the same major number and no higher minor one, but for
    /// images with instructions of one architecture alone.
    static List<String> runningOn(Capability capability) {
        List<String> all = new ArrayList<>(List.of(of(capability)));
        if (capability.major() >= FIRST_WITH_OWN_INSTRUCTIONS) return all;
        for (int minor = capability.minor() - 1; minor >= 0; minor--) {
            all.add(of(new Capability(capability.major(), minor)));
        }
        return all;
    }
}
