package nocturne.recipe;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The number format of frozen weights in memory.
///
/// @param type     one of `float8`, `int8`, `uint6`, `uint4`, `uint3`
/// @param recovery path of an accuracy recovery adapter (ARA), or null. Only remembered so far; whoever loads it looks
///                 in the bundle and among the models, because a stranger may have written it
public record WeightFormat(String type, @Nullable String recovery) {
    static final List<String> NAMES = List.of("float8", "int8", "uint6", "uint4", "uint3");
    private static final int MOST_CHARACTERS = 1000;

    public WeightFormat {
        Objects.requireNonNull(type);
        if (!NAMES.contains(type)) throw new IllegalArgumentException("no weight format: " + type);
    }

    /// Reads `uint3` or `uint3|path/to/adapter.safetensors`.
    static Optional<WeightFormat> parse(String text) {
        String[] parts = text.strip().split("\\|", 2);
        String type = switch (parts[0].strip().toLowerCase(Locale.ROOT)) {
            case "qfloat8", "float8", "fp8" -> "float8";
            case "int8", "qint8", "uint8" -> "int8";
            case "uint6", "6bit" -> "uint6";
            case "uint4", "int4", "qint4" -> "uint4";
            case "uint3" -> "uint3";
            default -> "";
        };
        String recovery = parts.length == 2 ? parts[1].strip() : null;
        boolean sound = recovery == null || !recovery.isEmpty() && recovery.length() <= MOST_CHARACTERS
                && recovery.codePoints().allMatch(Shown::isPrintable);
        return type.isEmpty() || !sound ? Optional.empty() : Optional.of(new WeightFormat(type, recovery));
    }

    WeightFormat recoveringWith(String path) {
        return new WeightFormat(type, path);
    }

    @Override
    public String toString() {
        return recovery == null ? type : type + "|" + recovery;
    }
}
