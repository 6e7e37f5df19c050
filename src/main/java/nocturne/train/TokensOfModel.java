package nocturne.train;

import java.util.OptionalInt;
import nocturne.dataset.findings.CaptionTokens;
import nocturne.qwen.ModelFolder;
import nocturne.qwen.PromptTemplate;
import nocturne.qwen.Tokenizer;

/// Counts tokens as the model to be trained does.
final class TokensOfModel implements CaptionTokens {
    private final Tokenizer tokenizer;

    TokensOfModel(ModelFolder model) {
        tokenizer = Tokenizer.open(model.root().resolve("tokenizer"));
    }

    @Override
    public OptionalInt count(String caption) {
        return OptionalInt.of(tokenizer.encode(caption).length);
    }

    @Override
    public int most() {
        return PromptTemplate.WORD_LIMIT;
    }
}
