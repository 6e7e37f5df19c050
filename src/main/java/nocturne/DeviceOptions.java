package nocturne;

import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// Where a command computes: the options that `train` and `bench` share.
final class DeviceOptions {
    @Option(names = "--device", paramLabel = "NAME", description = "cpu, the only one so far.", defaultValue = "cpu")
    private String name = "cpu";

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads to compute with; results are the same bits for the same number."
                    + " Default: one for each processor.")
    private int threads = Runtime.getRuntime().availableProcessors();

    DeviceOptions() {}

    String name() {
        return name;
    }

    int threads() {
        return threads;
    }

    /// Refuses what no machine could do; to be called before anything else.
    void check(CommandLine command) {
        if (!name.equals("cpu")) {
            throw new ParameterException(command, "--device " + name + ": no such device; the only one is cpu.");
        }
        if (threads < 1 || threads > 1024) {
            throw new ParameterException(command, "--threads " + threads + ": from 1 to 1024, please.");
        }
    }
}
