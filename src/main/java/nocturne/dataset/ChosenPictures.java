package nocturne.dataset;

import java.nio.file.Path;
import java.util.List;

/// Pictures named one by one, each shown once and in its own shape.
///
/// @param name        what they are called together
/// @param triggerWord replaces `[trigger]` and is put before captions that lack it; empty for none
/// @param resolution  as the side of a square in pixels
public record ChosenPictures(String name, List<Chosen> pictures, String triggerWord, int resolution) {
    /// @param label   how the user knows it
    /// @param caption as it was written; may be empty
    public record Chosen(Path file, String label, String caption) {}

    public ChosenPictures {
        pictures = List.copyOf(pictures);
        Buckets.requireUsable(resolution);
    }
}
