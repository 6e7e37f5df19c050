package nocturne.recipe;

import java.util.List;

/// The number format of the adapter files a user downloads. Training itself keeps adapters in 32 bits.
public enum AdapterDType implements Spelled {
    F16("float16", "fp16", "f16", "half"),
    BF16("bf16", "bfloat16"),
    F32("float32", "fp32", "f32", "float");

    private final String spelling;
    private final List<String> others;

    AdapterDType(String spelling, String... others) {
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
