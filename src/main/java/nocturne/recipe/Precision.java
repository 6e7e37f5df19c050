package nocturne.recipe;

import java.util.List;

/// The number format of activations while training on a GPU. The CPU always computes in 32 bits.
public enum Precision implements Spelled {
    BF16("bf16", "bfloat16"),
    F32("float32", "fp32", "f32", "float"),
    /// Too narrow for this model's activations; read as [#BF16], with a notice.
    F16("float16", "fp16", "f16", "half");

    private final String spelling;
    private final List<String> others;

    Precision(String spelling, String... others) {
        this.spelling = spelling;
        this.others = List.of(others);
    }

    @Override
    public String spelling() {
        return spelling;
    }

    @Override
    public List<String> otherSpellings() {
        return others;
    }
}
