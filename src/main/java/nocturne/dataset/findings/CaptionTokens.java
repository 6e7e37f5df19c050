package nocturne.dataset.findings;

import java.util.OptionalInt;

/// Counts the tokens of a caption, where somebody knows the model's tokenizer.
public interface CaptionTokens {
    /// Nobody does.
    CaptionTokens UNKNOWN = caption -> OptionalInt.empty();

    OptionalInt count(String caption);

    /// What the text encoder takes, at most.
    default int most() {
        return Integer.MAX_VALUE;
    }
}
