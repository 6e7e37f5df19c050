package nocturne.dataset;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import nocturne.io.WholeWords;

/// Reads captions and brings the trigger word into them.
public final class Captions {
    /// A caption is a few hundred characters; a file of this size is something else with the wrong name.
    static final int MOST_BYTES = 64 << 10;

    private static final String SENTENCE_ENDS = ".,;:!?";

    private Captions() {}

    /// Why a caption file cannot be used, said so that its owner can mend it.
    public static final class Unusable extends Exception {
        private static final long serialVersionUID = 1L;

        Unusable(String why) {
            super(why);
        }
    }

    /// The text of a caption file as one line; empty where there is nothing but space in it.
    ///
    /// @throws Unusable where it is no text that could be a caption
    public static String read(Path file) throws Unusable {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MOST_BYTES + 1);
        } catch (IOException e) {
            throw new Unusable("the caption cannot be read: " + e.getMessage());
        }
        if (bytes.length > MOST_BYTES) throw new Unusable("the caption is longer than 64 KB; is it another file?");
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return oneLine(text.startsWith("\ufeff") ? text.substring(1) : text);
        } catch (CharacterCodingException e) {
            throw new Unusable("the caption is not UTF-8 text; save it again with that encoding");
        }
    }

    /// Lines become parts of one sentence, with a comma between them as ai-toolkit does, unless the line ends itself.
    static String oneLine(String text) {
        StringBuilder line = new StringBuilder();
        for (String part : text.lines().map(String::strip).filter(part -> !part.isEmpty()).toList()) {
            if (!line.isEmpty()) line.append(SENTENCE_ENDS.indexOf(line.charAt(line.length() - 1)) >= 0 ? " " : ", ");
            line.append(part);
        }
        return line.toString();
    }

    /// Puts the trigger word where a caption asks for it, or in front where it is missing altogether.
    ///
    /// Source of the rule: ai-toolkit, `inject_trigger_into_prompt`, which knows `[trigger]` and `[name]`, and prepends
    /// word and space. It compares by plain containment, and so takes `woman` for `man`; we look for whole words.
    ///
    /// @param trigger empty takes the placeholders out
    /// @param prepend whether a caption without the word gets it
    static String withTrigger(String caption, String trigger, boolean prepend) {
        String replaced = caption.replace("[trigger]", trigger).replace("[name]", trigger);
        return (prepend && lacks(caption, trigger) ? trigger + " " + replaced : replaced).strip();
    }

    /// The same, and behind the trigger word a tag where the caption lacks it.
    ///
    /// @param tag empty for none
    static String withWords(String caption, String trigger, boolean prepend, String tag) {
        String text = withTrigger(caption, trigger, prepend);
        if (tag.isBlank() || holds(text, tag.strip())) return text;
        boolean behind = !trigger.isBlank() && text.startsWith(trigger) && WholeWords.isEdge(text, trigger.length());
        String before = behind ? trigger + ", " + tag.strip() : tag.strip();
        String rest = (behind ? text.substring(trigger.length()) : text).strip();
        if (rest.isEmpty()) return before;
        return before + (SENTENCE_ENDS.indexOf(rest.charAt(0)) >= 0 ? "" : ", ") + rest;
    }

    /// Whether there is a trigger word and a caption has neither it, as a word of its own, nor a place for it.
    public static boolean lacks(String caption, String trigger) {
        if (trigger.isBlank() || caption.contains("[trigger]") || caption.contains("[name]")) return false;
        return !holds(caption, trigger.strip());
    }

    /// Whether a text has a word, or several, that are not parts of others.
    public static boolean holds(String text, String word) {
        return WholeWords.holds(text, word);
    }
}
