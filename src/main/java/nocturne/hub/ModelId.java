package nocturne.hub;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// What a model is called at a hub, such as `Qwen/Qwen-Image-Edit-2509`. Neither part can lead out of a folder.
///
/// @param owner who has released it
/// @param name  of the model
public record ModelId(String owner, String name) {
    /// The hub's own rule: no `..` and no `--`, and a letter or digit at both ends.
    private static final Pattern PART =
            Pattern.compile("(?!.*(\\.\\.|--))[A-Za-z0-9]([A-Za-z0-9._-]{0,94}[A-Za-z0-9])?");
    /// The pipelines that Nocturne trains, under the names their makers gave them.
    public static final List<ModelId> KNOWN = List.of(
            new ModelId("Qwen", "Qwen-Image-Edit-2509"), new ModelId("Qwen", "Qwen-Image"),
            new ModelId("Qwen", "Qwen-Image-2512"), new ModelId("Qwen", "Qwen-Image-Edit"),
            new ModelId("Qwen", "Qwen-Image-Edit-2511"));

    public ModelId {
        if (!PART.matcher(owner).matches() || !PART.matcher(name).matches()) {
            throw new IllegalArgumentException("not a model's id: " + owner + "/" + name);
        }
    }

    /// The id that a text is; empty if it is none, such as a path.
    public static Optional<ModelId> of(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) return Optional.empty();
        String owner = text.substring(0, slash);
        String name = text.substring(slash + 1);
        boolean valid = PART.matcher(owner).matches() && PART.matcher(name).matches();
        return valid ? Optional.of(new ModelId(owner, name)) : Optional.empty();
    }

    /// Whether it is one of [#KNOWN].
    public boolean isKnown() {
        return KNOWN.contains(this);
    }

    /// What to type to have it.
    public String command() {
        return "./nocturne pull " + this;
    }

    @Override
    public String toString() {
        return owner + "/" + name;
    }
}
