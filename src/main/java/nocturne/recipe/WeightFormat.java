package nocturne.recipe;

import java.util.Objects;
import java.util.Optional;
import nocturne.quant.WeightType;
import org.jspecify.annotations.Nullable;

/// The number format of frozen weights in memory.
///
/// @param recovery path of an accuracy recovery adapter (ARA), or null: it stands beside the layers it was made for,
///     and only these are kept in the format
public record WeightFormat(WeightType type, @Nullable String recovery) {
    private static final int MOST_CHARACTERS = 1000;

    public WeightFormat {
        Objects.requireNonNull(type);
    }

    /// Reads `uint3` or `uint3|path/to/adapter.safetensors`.
    static Optional<WeightFormat> parse(String text) {
        String[] parts = text.strip().split("\\|", 2);
        Optional<WeightType> type = WeightType.named(parts[0].strip());
        String recovery = parts.length == 2 ? parts[1].strip() : null;
        boolean sound = recovery == null || !recovery.isEmpty() && recovery.length() <= MOST_CHARACTERS
                && recovery.codePoints().allMatch(Shown::isPrintable);
        return sound ? type.map(known -> new WeightFormat(known, recovery)) : Optional.empty();
    }

    WeightFormat recoveringWith(String path) {
        return new WeightFormat(type, path);
    }

    @Override
    public String toString() {
        return recovery == null ? type.spelling() : type.spelling() + "|" + recovery;
    }
}
