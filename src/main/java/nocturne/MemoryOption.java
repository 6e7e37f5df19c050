package nocturne;

import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// How much of a card's memory a command may use.
final class MemoryOption {
    private static final Pattern SIZE =
            Pattern.compile("(\\d{1,4}(?:\\.\\d{1,3})?) ?(GB|GiB)", Pattern.CASE_INSENSITIVE);

    @Option(
            names = "--vram",
            paramLabel = "SIZE",
            description = "How much of the card's memory to use, such as 24GB: what does not fit there comes and goes,"
                    + " or is computed twice. Default: what is free.")
    private @Nullable String vram;

    MemoryOption() {}

    /// @param device the device's name on the command line
    /// @return bytes; empty for what is free
    OptionalLong bytes(CommandLine command, String device) {
        String asked = vram;
        if (asked == null) return OptionalLong.empty();
        Matcher size = SIZE.matcher(asked);
        if (!size.matches()) {
            throw new ParameterException(command, "--vram " + asked + ": a size such as 24GB or 7.5GiB, please.");
        }
        if (device.equals("cpu")) {
            throw new ParameterException(command,
                    "--vram " + asked + ": is for a card; --device cpu has the machine's memory.");
        }
        double unit = size.group(2).toLowerCase(Locale.ROOT).contains("i") ? 0x1p30 : 1e9;
        return OptionalLong.of((long) (Double.parseDouble(size.group(1)) * unit));
    }
}
