package nocturne.qwen;

import java.util.Arrays;

/// The printable stand-ins that byte-level vocabularies use for the 256 byte values, so that a token is readable text.
///
/// A byte that is a printable Latin-1 character other than the space stands for itself; the others are numbered from
/// U+0100 in byte order (the space becomes `Ġ`). Source: GPT-2's byte-level BPE.
final class ByteAlphabet {
    private static final char[] SYMBOL = new char[256];
    private static final short[] BYTE = new short[0x200];

    static {
        Arrays.fill(BYTE, (short) -1);
        int unprintable = 0;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
            SYMBOL[b] = (char) (printable ? b : 0x100 + unprintable++);
            BYTE[SYMBOL[b]] = (short) b;
        }
    }

    private ByteAlphabet() {}

    /// The stand-in of byte `value`, 0..255.
    static char symbol(int value) {
        return SYMBOL[value];
    }

    /// Whether every character of `token` stands for a byte.
    static boolean spells(String token) {
        return token.chars().allMatch(c -> c < BYTE.length && BYTE[c] >= 0);
    }

    /// The bytes that `token` stands for; [#spells] must hold.
    static byte[] bytes(String token) {
        byte[] bytes = new byte[token.length()];
        for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) BYTE[token.charAt(i)];
        return bytes;
    }
}
