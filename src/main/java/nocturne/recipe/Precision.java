package nocturne.recipe;

/// The number format of activations while training on a GPU. The CPU always computes in 32 bits.
public enum Precision implements Spelled {
    BF16("bf16 bfloat16"),
    F32("float32 fp32 f32 float"),
    /// Too narrow for this model's activations; read as [#BF16], with a notice.
    F16("float16 fp16 f16 half");

    private final String spellings;

    Precision(String spellings) {
        this.spellings = spellings;
    }

    @Override
    public String spellings() {
        return spellings;
    }
}
