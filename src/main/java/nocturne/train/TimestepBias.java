package nocturne.train;

/// Which end of the table is drawn more often, by the names of ai-toolkit's `content_or_style`.
public enum TimestepBias {
    /// Every index equally often.
    BALANCED,
    /// High noise, where the composition is decided.
    CONTENT,
    /// Low noise, where texture is decided.
    STYLE
}
