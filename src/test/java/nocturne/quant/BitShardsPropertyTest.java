package nocturne.quant;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class BitShardsPropertyTest {
    @Property(tries = 300)
    void whatIsPutIsGotWhereverItIsCut(@ForAll @IntRange(min = 1, max = 8) int bits,
            @ForAll @IntRange(min = 1, max = 700) int count, @ForAll @IntRange(min = 1, max = 90) int piece,
            @ForAll long seed) {
        byte[] codes = codes(bits, count, seed);
        BitShards shards = new BitShards(bits, count);
        MemorySegment packed = MemorySegment.ofArray(new byte[(int) shards.bytes()]);
        for (int at = 0; at < count; at += piece) {
            shards.put(Arrays.copyOfRange(codes, at, Math.min(count, at + piece)), at, packed);
        }
        byte[] back = new byte[count];
        for (int at = 0; at < count; at += 64) {
            byte[] some = new byte[Math.min(64, count - at)];
            shards.get(packed, at, some);
            System.arraycopy(some, 0, back, at, some.length);
        }
        assertThat(back).isEqualTo(codes);
    }

    /// Counted the other way round: bit by bit, each code in its place by the description of the layout.
    @Property(tries = 100)
    void everyBitLiesWhereTheLayoutSays(@ForAll @IntRange(min = 2, max = 7) int bits,
            @ForAll @IntRange(min = 1, max = 40) int eighth, @ForAll long seed) {
        int count = 8 * eighth;
        byte[] codes = codes(bits, count, seed);
        BitShards shards = new BitShards(bits, count);
        byte[] packed = new byte[(int) shards.bytes()];
        shards.put(codes, 0, MemorySegment.ofArray(packed));
        assertThat(packed).hasSize(count * bits / 8);
        int start = 0;
        int lowest = 0;
        for (int width = 4; width >= 1; width /= 2) {
            if ((bits & width) == 0) continue;
            int length = count * width / 8;
            for (int n = 0; n < count; n++) {
                int inByte = packed[start + n % length] >> n / length * width & (1 << width) - 1;
                assertThat(inByte).isEqualTo(codes[n] >> lowest & (1 << width) - 1);
            }
            start += length;
            lowest += width;
        }
    }

    @Example
    void fourBitsAreTheHalvesOfTheStreamSideBySide() {
        byte[] packed = new byte[2];
        new BitShards(4, 4).put(new byte[] {1, 2, 3, 4}, 0, MemorySegment.ofArray(packed));
        assertThat(packed).containsExactly(0x31, 0x42);
    }

    private static byte[] codes(int bits, int count, long seed) {
        Random random = new Random(seed);
        byte[] codes = new byte[count];
        for (int i = 0; i < count; i++) codes[i] = (byte) random.nextInt(1 << bits);
        return codes;
    }
}
