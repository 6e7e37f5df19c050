package nocturne.qwen;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import nocturne.problem.UserMistake;

/// The conversation into which a prompt is written before the language model reads it, one per kind of pipeline.
///
/// The system message tells the model what to look for. Its tokens are the same for every prompt, so their rows are
/// dropped from the embeddings again; the user's words, the pictures' tokens and the five closing tokens stay.
///
/// Source: `prompt_template_encode` of diffusers' QwenImagePipeline, QwenImageEditPipeline, QwenImageEditPlusPipeline.
public enum PromptTemplate {
    /// A picture from words alone. At most [#WORD_LIMIT] tokens remain after the prefix; what is longer loses its end,
    /// the closing tokens included.
    TEXT_TO_IMAGE("Describe the image by detailing the color, shape, size, texture, quantity, text, spatial "
            + "relationships of the objects and background:", 34),
    /// One control picture, which stands before the words.
    EDIT(Messages.DESCRIBE_AND_MODIFY, 64),
    /// Any number of control pictures, "Picture 1" and so on, before the words.
    EDIT_PLUS(Messages.DESCRIBE_AND_MODIFY, 64);

    /// Tokens that are left of a text-to-image prompt after its prefix, at most.
    public static final int WORD_LIMIT = 1024;

    private static final String PICTURE = Tokenizer.VISION_START + Tokenizer.IMAGE_PAD + Tokenizer.VISION_END;

    private final String prefix;
    private final int dropped;

    PromptTemplate(String systemMessage, int dropped) {
        this.prefix = Tokenizer.MESSAGE_START + "system\n" + systemMessage + Tokenizer.MESSAGE_END + "\n"
                + Tokenizer.MESSAGE_START + "user\n";
        this.dropped = dropped;
    }

    /// A prompt as the language model reads it.
    ///
    /// @param ids     token ids; each picture stands there as a run of [Tokenizer#IMAGE_PAD], one per merged patch
    /// @param dropped how many of the first rows of the embeddings are the template's prefix and are dropped
    public record Encoded(int[] ids, int dropped) {
        /// Rows of the embeddings that remain.
        public int kept() {
            return ids.length - dropped;
        }
    }

    /// The whole conversation as text; a picture is a single placeholder.
    ///
    /// @param pictures how many control pictures there are
    /// @throws UserMistake `PROMPT_INVALID` unless they are none for text to image, one for the original edit pipeline
    public String text(String prompt, int pictures) {
        StringBuilder text = new StringBuilder(prefix);
        switch (this) {
            case TEXT_TO_IMAGE -> requirePictures(pictures == 0, "no control pictures", pictures);
            case EDIT -> {
                requirePictures(pictures == 1, "exactly one control picture", pictures);
                text.append(PICTURE);
            }
            case EDIT_PLUS -> {
                for (int n = 1; n <= pictures; n++) text.append("Picture ").append(n).append(": ").append(PICTURE);
            }
        }
        return text.append(prompt).append(Tokenizer.MESSAGE_END + "\n" + Tokenizer.MESSAGE_START + "assistant\n")
                .toString();
    }

    /// How many tokens the prefix takes, which is how many embedding rows are dropped.
    ///
    /// @throws UserMistake if this tokenizer cuts the prefix into another number of tokens than Qwen's: then it is not
    ///                     the tokenizer of the model, and dropping would cut into the prompt
    public int dropped(Tokenizer tokenizer) {
        int counted = tokenizer.encode(prefix).length;
        if (counted != dropped) {
            throw new UserMistake("TOKENIZER_INVALID", "", ("This is not Qwen-Image's tokenizer: it cuts the fixed "
                    + "beginning of every prompt into %d tokens, where Qwen's has %d.").formatted(counted, dropped));
        }
        return counted;
    }

    /// The ids of `prompt` inside this template.
    ///
    /// @param pictureTokens for each control picture, in order, the merged patches the vision tower makes of it
    /// @throws UserMistake `PROMPT_INVALID` if the prompt itself contains a picture's placeholder, which would be taken
    ///                     for a control picture
    public Encoded encode(Tokenizer tokenizer, String prompt, int... pictureTokens) {
        int drop = dropped(tokenizer);
        int placeholder = tokenizer.special(Tokenizer.IMAGE_PAD);
        int[] ids = tokenizer.encode(text(prompt, pictureTokens.length));
        if (this == TEXT_TO_IMAGE) {
            return new Encoded(Arrays.copyOf(ids, Math.min(ids.length, drop + WORD_LIMIT)), drop);
        }
        if (Arrays.stream(ids).filter(id -> id == placeholder).count() != pictureTokens.length) {
            throw new UserMistake("PROMPT_INVALID", "", ("The prompt contains \"%s\", which stands for a control "
                    + "picture; write \"Picture 1\" to speak of one.").formatted(Tokenizer.IMAGE_PAD));
        }
        List<int[]> runs = new ArrayList<>();
        int picture = 0;
        for (int id : ids) {
            int length = id == placeholder ? pictureTokens[picture++] : 1;
            runs.add(IntStream.generate(() -> id).limit(length).toArray());
        }
        return new Encoded(runs.stream().flatMapToInt(Arrays::stream).toArray(), drop);
    }

    private static void requirePictures(boolean fits, String wanted, int pictures) {
        if (fits) return;
        throw new UserMistake("PROMPT_INVALID", "",
                "This model takes %s with a prompt; %d were given.".formatted(wanted, pictures));
    }

    /// Constants of an enum cannot name each other's texts; a holder class can.
    private static final class Messages {
        static final String DESCRIBE_AND_MODIFY = "Describe the key features of the input image (color, shape, size, "
                + "texture, objects, background), then explain how the user's text instruction should alter or modify "
                + "the image. Generate a new image that meets the user's requirements while maintaining consistency "
                + "with the original input where appropriate.";
    }
}
