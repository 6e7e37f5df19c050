package nocturne.dataset.findings;

import java.util.List;

/// One thing about one picture, or about several that belong together.
///
/// @param pictures as the user knows them
/// @param value    the number behind it, in the unit of its kind; NaN where there is none
/// @param text     what was found, for a person; without the pictures' names
/// @param likeness which of the pictures are alike, where that is what was found
public record Finding(Kind kind, List<String> pictures, double value, String text, List<Likeness> likeness) {
    /// Two pictures that look alike.
    ///
    /// @param bits     of 63 that differ; 0 for the same picture
    /// @param mirrored one is the other with left and right swapped
    public record Likeness(String first, String second, int bits, boolean mirrored) {}

    /// What can be found. The order is that of the report, the gravest first.
    public enum Kind {
        /// A value is the most bits of 63 in which two neighbours of the group differ.
        HELD_OUT_TRAINED("S1-66", "TRAINED", "Held out, but trained", "The held-out loss then measures memory instead"
                + " of learning. Take the picture out of one of the two folders."),
        ALIKE("S1-68", "ALIKE", "Nearly the same picture", "The run sees such a picture as often as there are copies"
                + " of it. Keep the best one, unless that is what you want."),
        /// A value is [nocturne.image.Sharpness].
        BLURRED("S1-68", "BLURRED", "Blurred", "Blur is learned like everything else. Take the picture out or use a"
                + " sharper one; where softness is the style, leave it."),
        /// A value is the picture's pixels as a share of those of its largest resolution.
        SMALL("S1-45", "SMALL", "Smaller than the resolution", "It is trained at its own size and is never enlarged."
                + " Use a larger original if there is one."),
        /// A value is the longer side over the shorter one.
        EXTREME_SHAPE("S1-44", "SHAPE", "Very wide or very high", "Little of such a picture is left at the resolution."
                + " Crop it to what matters."),
        CAPTION_MISSING("S1-69", "MISSING", "No caption file",
                "Write what the picture shows, in a text file of the same name."),
        CAPTION_EMPTY("S1-69", "MISSING", "Empty caption", "Write what the picture shows."),
        CAPTION_SHARED("S1-69", "SHARED", "The same caption", "What differs between these pictures is then learned as"
                + " part of the trigger. Describe what differs."),
        /// A value is the caption's length, in tokens where those are known, else in characters.
        CAPTION_CUT("S1-69", "CUT", "Caption longer than the model reads", "What comes after the first 1024 tokens,"
                + " some 4000 characters, is cut off. Shorten it; 50 to 200 characters work best."),
        /// A value is the caption's length in characters.
        CAPTION_LONG("S2-54", "LONG", "Very long caption", "The end of a long text has little influence. Shorten it."),
        TRIGGER_ABSENT("S1-74", "ABSENT", "Caption without the trigger word", "It is put in front of the caption."
                + " Write it where it belongs, or [trigger] in its place."),
        NOT_LOOKED_AT("S1-68", "UNSEEN", "Not looked at", "There was no time for it before the bundle was taken;"
                + " training decodes it, and says then what is wrong with it.");

        private final String row;
        private final String word;
        private final String heading;
        private final String remedy;

        Kind(String row, String word, String heading, String remedy) {
            this.row = row;
            this.word = word;
            this.heading = heading;
            this.remedy = remedy;
        }

        /// What rules, notices and a recipe's `i_know` call it: the ledger's row and a word, such as `S1-68-BLURRED`.
        /// Captions that are missing and those that are empty have one id.
        public String id() {
            return row + "-" + word;
        }

        public String heading() {
            return heading;
        }

        /// What to do about it, and why.
        public String remedy() {
            return remedy;
        }

        /// Whether the scan or a rule on captions tells of it, or it is no more than a detail.
        public boolean isToldElsewhere() {
            return switch (this) {
                case SMALL, CAPTION_MISSING, CAPTION_EMPTY, CAPTION_SHARED, CAPTION_LONG, TRIGGER_ABSENT -> true;
                case HELD_OUT_TRAINED, ALIKE, BLURRED, EXTREME_SHAPE, CAPTION_CUT, NOT_LOOKED_AT -> false;
            };
        }

        public boolean isAboutCaptions() {
            return switch (this) {
                case CAPTION_MISSING, CAPTION_EMPTY, CAPTION_SHARED, CAPTION_CUT, CAPTION_LONG, TRIGGER_ABSENT -> true;
                case HELD_OUT_TRAINED, ALIKE, BLURRED, SMALL, EXTREME_SHAPE, NOT_LOOKED_AT -> false;
            };
        }
    }

    public Finding {
        pictures = List.copyOf(pictures);
        likeness = List.copyOf(likeness);
    }

    static Finding of(Kind kind, String picture, double value, String text) {
        return new Finding(kind, List.of(picture), value, text, List.of());
    }
}
