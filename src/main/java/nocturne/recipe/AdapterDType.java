package nocturne.recipe;

/// The number format of the adapter files a user downloads. Training itself keeps adapters in 32 bits.
public enum AdapterDType implements Spelled {
    F16("float16 fp16 f16 half"),
    BF16("bf16 bfloat16"),
    F32("float32 fp32 f32 float");

    private final String spellings;

    AdapterDType(String spellings) {
        this.spellings = spellings;
    }

    @Override
    public String spellings() {
        return spellings;
    }
}
