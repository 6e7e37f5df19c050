package nocturne.io;

import java.util.Optional;

/// Element types of safetensors files, with the names the format uses.
public enum DType {
    F64(8), F32(4), F16(2), BF16(2), F8_E4M3(1), F8_E5M2(1), I64(8), I32(4), I16(2), I8(1), U8(1), BOOL(1);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /// Bytes one element takes.
    public int bytes() {
        return bytes;
    }

    public static Optional<DType> named(String name) {
        for (DType type : values()) if (type.name().equals(name)) return Optional.of(type);
        return Optional.empty();
    }
}
