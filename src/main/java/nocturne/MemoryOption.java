package nocturne;

import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import nocturne.recipe.MemorySize;
import nocturne.train.MemoryBudget;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// How much of a card's memory a command may use.
final class MemoryOption {
    private static final int DECIMALS = 3;
    private static final Pattern PERCENT = Pattern.compile("(\\d{1,3})%?");

    @Option(
            names = "--vram",
            paramLabel = "SIZE",
            description = "How much of the card's memory to use, such as 24GB: what does not fit there comes and goes,"
                    + " or is computed twice. Default: what is free.")
    private @Nullable String vram;

    @Option(
            names = "--vram-share",
            paramLabel = "PERCENT",
            description = "Use this share only of the memory that could be used, such as 85%%: for another attempt when"
                    + " it was not enough.")
    private @Nullable String share;

    MemoryOption() {}

    /// @param device the device's name on the command line
    MemoryBudget budget(CommandLine command, String device) {
        return new MemoryBudget(bytes(command, device), share(command));
    }

    private double share(CommandLine command) {
        String asked = share;
        if (asked == null) return 1;
        Matcher percent = PERCENT.matcher(asked);
        int number = percent.matches() ? Integer.parseInt(percent.group(1)) : 0;
        if (number < 1 || number > 100) {
            throw new ParameterException(command, "--vram-share " + asked + ": from 1% to 100%, please.");
        }
        return number / 100.0;
    }

    /// @param device the device's name on the command line
    /// @return bytes; empty for what is free
    OptionalLong bytes(CommandLine command, String device) {
        OptionalLong bytes = bytes(command, "--vram", vram);
        if (bytes.isPresent() && device.equals("cpu")) {
            throw new ParameterException(command,
                    "--vram " + vram + ": is for a card; --device cpu has the machine's memory.");
        }
        return bytes;
    }

    /// Reads a size such as `24GB`.
    ///
    /// @param option that it was given to, for messages
    /// @param asked  null for none
    static OptionalLong bytes(CommandLine command, String option, @Nullable String asked) {
        if (asked == null) return OptionalLong.empty();
        long bytes = MemorySize.parse(asked, DECIMALS).orElseThrow(() -> new ParameterException(command,
                "%s %s: a size such as 24GB or 7.5GiB, please.".formatted(option, asked)));
        return OptionalLong.of(bytes);
    }
}
