package nocturne.qwen;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.qwen.Tokenizer.AddedToken;
import org.jspecify.annotations.Nullable;

/// Reads and checks a tokenizer folder. One use: collect every problem, then answer or refuse.
final class TokenizerFolder {
    private static final String CODE = "TOKENIZER_INVALID";
    // Far above any vocabulary; keeps a broken file from asking for gigabytes.
    private static final int MAX_ID = 4_000_000;
    private static final int EXAMPLES = 5;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final List<Problem> problems = new ArrayList<>();
    private final Map<String, Integer> vocabulary = new HashMap<>(1 << 18);
    private final List<String[]> merges = new ArrayList<>();
    private final Map<String, AddedToken> added = new LinkedHashMap<>();

    TokenizerFolder(Path folder) {
        this.folder = folder;
    }

    Tokenizer open() {
        Path whole = folder.resolve("tokenizer.json");
        Path vocabularyFile = folder.resolve("vocab.json");
        Path mergesFile = folder.resolve("merges.txt");
        if (Files.isRegularFile(whole)) {
            readWhole(whole);
            readConfig(folder.resolve("tokenizer_config.json"));
            return check(whole, whole);
        }
        if (!Files.isDirectory(folder)) {
            problem(folder, "there is no such folder; a Qwen-Image pipeline keeps its tokenizer in tokenizer/");
        } else if (!Files.isRegularFile(vocabularyFile) && !Files.isRegularFile(mergesFile)) {
            problem(folder, "holds no tokenizer: expected tokenizer.json, or vocab.json together with merges.txt");
        } else {
            readVocabulary(vocabularyFile, readJson(vocabularyFile));
            readMerges(mergesFile);
            readConfig(folder.resolve("tokenizer_config.json"));
            readAddedTokens(folder.resolve("added_tokens.json"));
        }
        return check(vocabularyFile, mergesFile);
    }

    private void readWhole(Path file) {
        JsonNode root = readJson(file);
        if (root == null) return;
        JsonNode model = root.path("model");
        expect(file, "model.type", model.path("type").asText("BPE"), "BPE");
        expect(file, "model.byte_fallback", model.path("byte_fallback").asText("false"), "false");
        expect(file, "model.ignore_merges", model.path("ignore_merges").asText("false"), "false");
        expect(file, "normalizer.type", root.path("normalizer").path("type").asText(""), "NFC");
        List<String> patterns = root.path("pre_tokenizer").findValuesAsText("Regex");
        if (!patterns.equals(List.of(WordSplitter.RELEASED))) {
            problem(file, "pre_tokenizer: the word pattern is not Qwen2's, so the ids would not be the model's");
        }
        for (JsonNode token : root.path("added_tokens")) {
            addToken(file, token.path("content").asText(""), token.path("id"), token);
        }
        readVocabulary(file, model.get("vocab"));
        int line = 0;
        for (JsonNode merge : model.path("merges")) {
            // Older files write "a b", newer ones ["a", "b"].
            String[] pair = merge.isArray() && merge.size() == 2
                    ? new String[] {merge.get(0).asText(), merge.get(1).asText()}
                    : merge.asText("").split(" ", -1);
            addMerge(file, "merge " + line++, pair);
        }
    }

    private void readVocabulary(Path file, @Nullable JsonNode vocab) {
        if (vocab == null) {
            if (Files.isRegularFile(file) && problems.isEmpty()) problem(file, "has no vocabulary (model.vocab)");
            return;
        }
        for (Map.Entry<String, JsonNode> entry : vocab.properties()) {
            int id = id(entry.getValue());
            if (id < 0) few(file, "the id of \"%s\" is %s; expected a whole number from 0 to %d"
                    .formatted(entry.getKey(), entry.getValue(), MAX_ID));
            else vocabulary.put(entry.getKey(), id);
        }
    }

    private void readMerges(Path file) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            unreadable(file, e);
            return;
        }
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.isEmpty() || i == 0 && line.startsWith("#version")) continue;
            addMerge(file, "line " + (i + 1), line.split(" ", -1));
        }
    }

    private void readConfig(Path file) {
        JsonNode config = Files.isRegularFile(file) ? readJson(file) : null;
        if (config == null) return;
        for (Map.Entry<String, JsonNode> entry : config.path("added_tokens_decoder").properties()) {
            JsonNode token = entry.getValue();
            JsonNode id = JSON.getNodeFactory().numberNode(entry.getKey().matches("\\d{1,9}")
                    ? Integer.parseInt(entry.getKey()) : -1);
            addToken(file, token.path("content").asText(""), id, token);
        }
    }

    private void readAddedTokens(Path file) {
        JsonNode tokens = Files.isRegularFile(file) ? readJson(file) : null;
        if (tokens == null) return;
        for (Map.Entry<String, JsonNode> entry : tokens.properties()) {
            addToken(file, entry.getKey(), entry.getValue(), JSON.missingNode());
        }
    }

    private void addMerge(Path file, String where, String[] pair) {
        if (pair.length == 2 && !pair[0].isEmpty() && !pair[1].isEmpty()) merges.add(pair);
        else few(file, where + " is not two tokens with one space between them");
    }

    private void addToken(Path file, String content, JsonNode idNode, JsonNode settings) {
        int id = id(idNode);
        if (content.isEmpty() || id < 0) {
            few(file, "an added token has no text or no id: \"%s\", %s".formatted(content, idNode));
            return;
        }
        for (String unsupported : List.of("lstrip", "rstrip", "single_word")) {
            if (settings.path(unsupported).asBoolean()) {
                few(file, "added token \"%s\" sets %s, which Qwen's tokens do not".formatted(content, unsupported));
            }
        }
        AddedToken before = added.get(content);
        if (before == null) added.put(content, new AddedToken(content, id, settings.path("normalized").asBoolean()));
        else if (before.id() != id) {
            few(file, "added token \"%s\" has the ids %d and %d".formatted(content, before.id(), id));
        }
    }

    /// Builds the tokenizer, or refuses with everything found so far.
    private Tokenizer check(Path vocabularyFile, Path mergesFile) {
        // Without both files every further complaint would only repeat that one is missing.
        if (!problems.isEmpty()) throw refusal();
        int[] tokenOfByte = new int[256];
        List<String> bytesWithout = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            Integer id = vocabulary.get(String.valueOf(ByteAlphabet.symbol(b)));
            if (id == null) bytesWithout.add("0x%02x".formatted(b));
            else tokenOfByte[b] = id;
        }
        if (!bytesWithout.isEmpty()) {
            problem(vocabularyFile, "%d of the 256 single bytes have no token (first: %s); truncated copy?"
                    .formatted(bytesWithout.size(), bytesWithout.getFirst()));
        }
        byte[][] bytesOfToken = bytesById(vocabularyFile);
        MergeTable table = new MergeTable(merges.size());
        for (int rank = 0; rank < merges.size(); rank++) {
            String[] pair = merges.get(rank);
            Integer left = vocabulary.get(pair[0]);
            Integer right = vocabulary.get(pair[1]);
            Integer result = vocabulary.get(pair[0].concat(pair[1]));
            if (left != null && right != null && result != null) table.put(left, right, rank, result);
            else few(mergesFile, "merge %d, \"%s %s\", speaks of a token that the vocabulary has not"
                    .formatted(rank, pair[0], pair[1]));
        }
        for (String name : Tokenizer.NEEDED) {
            if (!added.containsKey(name)) problem(folder, "the added token " + name + " is missing; Qwen-Image's "
                    + "prompts need it (tokenizer.json, tokenizer_config.json or added_tokens.json name it)");
        }
        if (!problems.isEmpty()) throw refusal();
        return new Tokenizer(bytesOfToken, tokenOfByte, table, List.copyOf(added.values()));
    }

    private byte[][] bytesById(Path vocabularyFile) {
        int largest = -1;
        for (int id : vocabulary.values()) largest = Math.max(largest, id);
        for (AddedToken token : added.values()) largest = Math.max(largest, token.id());
        byte[][] bytes = new byte[largest + 1][];
        for (Map.Entry<String, Integer> entry : vocabulary.entrySet()) {
            String token = entry.getKey();
            int id = entry.getValue();
            // Some files list the added tokens in the vocabulary too; those are spelled as they are.
            if (added.containsKey(token)) continue;
            if (token.isEmpty() || !ByteAlphabet.spells(token)) {
                few(vocabularyFile, "token \"%s\" is not written in the byte-level alphabet".formatted(token));
            } else if (bytes[id] != null) {
                few(vocabularyFile, "two tokens have the id " + id);
            } else {
                bytes[id] = ByteAlphabet.bytes(token);
            }
        }
        for (AddedToken token : added.values()) {
            if (bytes[token.id()] != null) few(folder, "two tokens have the id %d, one of them \"%s\""
                    .formatted(token.id(), token.content()));
            bytes[token.id()] = token.content().getBytes(StandardCharsets.UTF_8);
        }
        return bytes;
    }

    private @Nullable JsonNode readJson(Path file) {
        try {
            JsonNode root = JSON.readTree(Files.readAllBytes(file));
            if (root != null && root.isObject()) return root;
            problem(file, "is not a JSON object");
        } catch (JsonProcessingException e) {
            problem(file, "is not valid JSON (%s); truncated copy?".formatted(e.getOriginalMessage()));
        } catch (IOException e) {
            unreadable(file, e);
        }
        return null;
    }

    private void unreadable(Path file, IOException e) {
        if (!Files.exists(file)) problem(file, "is missing");
        else if (e instanceof CharacterCodingException) problem(file, "is not UTF-8 text");
        else problem(file, "cannot be read: " + e.getMessage());
    }

    private static int id(JsonNode node) {
        return node.isInt() && node.intValue() >= 0 && node.intValue() <= MAX_ID ? node.intValue() : -1;
    }

    private void expect(Path file, String key, String found, String wanted) {
        if (!found.equals(wanted)) {
            problem(file, "%s is \"%s\"; Qwen2's tokenizer has \"%s\"".formatted(key, found, wanted));
        }
    }

    private void problem(Path where, String what) {
        problems.add(new Problem(CODE, where.toString(), what));
    }

    /// A problem of a kind that a broken file may have by the thousand: the first ones are told.
    private void few(Path where, String what) {
        long told = problems.stream().filter(p -> Objects.equals(p.where(), where.toString())).count();
        if (told < EXAMPLES) problem(where, what);
    }

    private UserMistake refusal() {
        return new UserMistake("%s is not a usable Qwen tokenizer.".formatted(folder), problems);
    }
}
