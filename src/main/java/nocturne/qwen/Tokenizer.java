package nocturne.qwen;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// Text to token ids and back, with the ids Qwen2's released tokenizer gives.
///
/// In this order: added tokens (`<|im_start|>` ...) are cut out verbatim wherever they stand; the rest is brought to
/// Unicode's composed form (NFC), cut into words, written as UTF-8 bytes, and byte pairs are merged by rank inside each
/// word. No beginning or end token is added, and the empty text has no ids.
///
/// Source: byte-level BPE as in GPT-2, with Qwen2's word pattern. Safe for use by several threads.
public final class Tokenizer {
    public static final String END_OF_TEXT = "<|endoftext|>";
    public static final String MESSAGE_START = "<|im_start|>";
    public static final String MESSAGE_END = "<|im_end|>";
    public static final String VISION_START = "<|vision_start|>";
    public static final String VISION_END = "<|vision_end|>";
    public static final String IMAGE_PAD = "<|image_pad|>";

    /// What the prompt templates and the text encoder rely on; a folder without them is refused when it is opened.
    static final List<String> NEEDED =
            List.of(END_OF_TEXT, MESSAGE_START, MESSAGE_END, VISION_START, VISION_END, IMAGE_PAD);

    // Captions of one job repeat the same words: remembering them saves most merging. Bounded, because a service that
    // sees every language would otherwise remember for ever; longer pieces are rare and not worth their memory.
    private static final int REMEMBERED_PIECES = 10_000;
    private static final int REMEMBERED_PIECE_LENGTH = 64;

    /// A token that is recognised as a whole.
    ///
    /// @param normalized looked for in the composed text instead of the text as written
    record AddedToken(String content, int id, boolean normalized) {}

    private final byte[] @Nullable [] bytesOfToken;
    private final int[] tokenOfByte;
    private final MergeTable merges;
    private final Map<String, Integer> added = new TreeMap<>();
    private final @Nullable Pattern addedAsWritten;
    private final @Nullable Pattern addedNormalized;
    private final ConcurrentHashMap<String, int[]> remembered = new ConcurrentHashMap<>();

    /// @param bytesOfToken the bytes each id stands for; null where an id is not in use
    /// @param tokenOfByte  the id of each single byte, 256 entries
    Tokenizer(byte[] @Nullable [] bytesOfToken, int[] tokenOfByte, MergeTable merges, List<AddedToken> addedTokens) {
        this.bytesOfToken = bytesOfToken;
        this.tokenOfByte = tokenOfByte;
        this.merges = merges;
        for (AddedToken token : addedTokens) added.put(token.content(), token.id());
        addedAsWritten = anyOf(addedTokens.stream().filter(t -> !t.normalized()).toList());
        addedNormalized = anyOf(addedTokens.stream().filter(AddedToken::normalized).toList());
    }

    /// Opens a folder as released: `tokenizer.json`, or `vocab.json` with `merges.txt`; `tokenizer_config.json` and
    /// `added_tokens.json` are read for further added tokens.
    ///
    /// @throws UserMistake `TOKENIZER_INVALID` with everything that is missing, broken or not Qwen's
    public static Tokenizer open(Path folder) {
        return new TokenizerFolder(folder).open();
    }

    /// The ids of `text`, in order. Halves of surrogate pairs, which no Unicode text has, count as U+FFFD.
    public int[] encode(String text) {
        Ids ids = new Ids();
        cut(wellFormed(text), addedAsWritten, ids,
                written -> cut(Normalizer.normalize(written, Normalizer.Form.NFC), addedNormalized, ids,
                        composed -> WordSplitter.split(composed, piece -> ids.add(piece(piece)))));
        return ids.toArray();
    }

    /// The text that `ids` stand for; bytes that are no UTF-8 become U+FFFD.
    ///
    /// @throws IllegalArgumentException for an id the vocabulary has not
    public String decode(int[] ids) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(4 * ids.length);
        for (int id : ids) {
            byte[] token = id >= 0 && id < bytesOfToken.length ? bytesOfToken[id] : null;
            if (token == null) throw new IllegalArgumentException("no token has the id " + id);
            bytes.writeBytes(token);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /// The id of an added token such as [#IMAGE_PAD]. The tokens named in this class are always there.
    ///
    /// @throws IllegalArgumentException if no added token is called `name`
    public int special(String name) {
        Integer id = added.get(name);
        if (id == null) throw new IllegalArgumentException("no added token is called " + name);
        return id;
    }

    /// One more than the largest id: the rows an embedding table needs at least.
    public int size() {
        return bytesOfToken.length;
    }

    private int[] piece(String piece) {
        int[] known = remembered.get(piece);
        if (known != null) return known;
        byte[] utf8 = piece.getBytes(StandardCharsets.UTF_8);
        int[] tokens = new int[utf8.length];
        for (int i = 0; i < utf8.length; i++) tokens[i] = tokenOfByte[utf8[i] & 0xff];
        int[] ids = merges.merge(tokens);
        if (piece.length() <= REMEMBERED_PIECE_LENGTH && remembered.size() < REMEMBERED_PIECES) {
            remembered.put(piece, ids);
        }
        return ids;
    }

    /// Hands the stretches between added tokens to `between`, and the added tokens' ids to `ids`, from left to right.
    private void cut(String text, @Nullable Pattern tokens, Ids ids, Consumer<String> between) {
        int done = 0;
        if (tokens != null) {
            for (Matcher found = tokens.matcher(text); found.find(); done = found.end()) {
                if (found.start() > done) between.accept(text.substring(done, found.start()));
                ids.add(special(found.group()));
            }
        }
        if (done < text.length()) between.accept(text.substring(done));
    }

    /// A pattern that finds the leftmost token, and the longest of those that begin there.
    private static @Nullable Pattern anyOf(List<AddedToken> tokens) {
        if (tokens.isEmpty()) return null;
        return Pattern.compile(tokens.stream().map(AddedToken::content)
                .sorted(Comparator.comparingInt(String::length).reversed().thenComparing(Comparator.naturalOrder()))
                .map(Pattern::quote).collect(Collectors.joining("|")));
    }

    private static String wellFormed(String text) {
        StringBuilder mended = null;
        for (int i = 0; i < text.length(); i++) {
            if (!Character.isSurrogate(text.charAt(i))) continue;
            if (i + 1 < text.length() && Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1))) {
                i++;
                continue;
            }
            if (mended == null) mended = new StringBuilder(text);
            mended.setCharAt(i, '\uFFFD');
        }
        return mended == null ? text : mended.toString();
    }

    private static final class Ids {
        private int[] ids = new int[64];
        private int count;

        void add(int... more) {
            if (count + more.length > ids.length) ids = Arrays.copyOf(ids, 2 * (count + more.length));
            System.arraycopy(more, 0, ids, count, more.length);
            count += more.length;
        }

        int[] toArray() {
            return Arrays.copyOf(ids, count);
        }
    }
}
