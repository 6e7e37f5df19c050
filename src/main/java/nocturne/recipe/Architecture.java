package nocturne.recipe;

import java.util.Locale;

/// The members of the model family.
public enum Architecture implements Spelled {
    QWEN_IMAGE("qwen_image"),
    QWEN_IMAGE_2512("qwen_image:2512"),
    QWEN_IMAGE_EDIT("qwen_image_edit"),
    QWEN_IMAGE_EDIT_2509("qwen_image_edit_plus qwen_image_edit_plus:2509"),
    QWEN_IMAGE_EDIT_2511("qwen_image_edit_plus:2511");

    private final String spellings;

    Architecture(String spellings) {
        this.spellings = spellings;
    }

    /// Whether it takes control pictures. It may be trained without them.
    public boolean edits() {
        return switch (this) {
            case QWEN_IMAGE, QWEN_IMAGE_2512 -> false;
            case QWEN_IMAGE_EDIT, QWEN_IMAGE_EDIT_2509, QWEN_IMAGE_EDIT_2511 -> true;
        };
    }

    /// What a model's name says about it: `Qwen/Qwen-Image-Edit-2509` is [#QWEN_IMAGE_EDIT_2509].
    static Architecture named(String model) {
        String name = model.toLowerCase(Locale.ROOT);
        if (name.contains("edit")) {
            if (name.contains("2511")) return QWEN_IMAGE_EDIT_2511;
            return name.contains("2509") || name.contains("plus") ? QWEN_IMAGE_EDIT_2509 : QWEN_IMAGE_EDIT;
        }
        return name.contains("2512") ? QWEN_IMAGE_2512 : QWEN_IMAGE;
    }

    @Override
    public String spellings() {
        return spellings;
    }
}
