package nocturne.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Elements of any stored type to fp32, in blocks: copy in, convert in a plain loop over arrays, copy out.
///
/// The detour over small arrays is on purpose. Loops over arrays are vectorised by the compiler in every Java, loops
/// over memory segments only in some shapes; and the blocks stay in the first-level cache.
final class Widening {
    private static final int BLOCK = 2048;
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final ValueLayout.OfShort SHORTS = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE);
    private static final ValueLayout.OfInt INTS = ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE);
    private static final ValueLayout.OfLong LONGS = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE);
    private static final ValueLayout.OfDouble DOUBLES = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(LITTLE);
    private static final ValueLayout.OfFloat FLOATS = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE);
    private static final ValueLayout.OfFloat NATIVE_FLOATS = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private Widening() {}

    /// @param source       elements of `type`, little-endian
    /// @param target       fp32 in the machine's byte order
    /// @param targetOffset bytes
    static void toFloats(DType type, MemorySegment source, long elements, MemorySegment target, long targetOffset) {
        if (type == DType.F32) {
            MemorySegment.copy(source, FLOATS, 0, target, NATIVE_FLOATS, targetOffset, elements);
            return;
        }
        Block block = block(type);
        float[] values = new float[(int) Math.min(BLOCK, elements)];
        for (long at = 0; at < elements; at += BLOCK) {
            int count = (int) Math.min(BLOCK, elements - at);
            block.convert(source, at * type.bytes(), count, values);
            MemorySegment.copy(values, 0, target, NATIVE_FLOATS, targetOffset + at * Float.BYTES, count);
        }
    }

    /// Elements of an integer type as longs, from byte `offset`.
    static long integer(DType type, MemorySegment source, long index) {
        return switch (type) {
            case I64 -> source.get(LONGS, index * Long.BYTES);
            case I32 -> source.get(INTS, index * Integer.BYTES);
            case I16 -> source.get(SHORTS, index * Short.BYTES);
            case I8 -> source.get(ValueLayout.JAVA_BYTE, index);
            case U8, BOOL -> source.get(ValueLayout.JAVA_BYTE, index) & 0xff;
            case F64, F32, F16, BF16, F8_E4M3, F8_E5M2 -> throw new IllegalArgumentException(type + " is no integer");
        };
    }

    private interface Block {
        void convert(MemorySegment source, long offset, int count, float[] values);
    }

    private static Block block(DType type) {
        return switch (type) {
            case BF16 -> {
                short[] raw = new short[BLOCK];
                yield (source, offset, count, values) -> {
                    MemorySegment.copy(source, SHORTS, offset, raw, 0, count);
                    for (int i = 0; i < count; i++) values[i] = Float.intBitsToFloat(raw[i] << 16);
                };
            }
            case F16 -> {
                short[] raw = new short[BLOCK];
                yield (source, offset, count, values) -> {
                    MemorySegment.copy(source, SHORTS, offset, raw, 0, count);
                    for (int i = 0; i < count; i++) values[i] = Float.float16ToFloat(raw[i]);
                };
            }
            case F64 -> {
                double[] raw = new double[BLOCK];
                yield (source, offset, count, values) -> {
                    MemorySegment.copy(source, DOUBLES, offset, raw, 0, count);
                    for (int i = 0; i < count; i++) values[i] = (float) raw[i];
                };
            }
            case I32 -> {
                int[] raw = new int[BLOCK];
                yield (source, offset, count, values) -> {
                    MemorySegment.copy(source, INTS, offset, raw, 0, count);
                    for (int i = 0; i < count; i++) values[i] = raw[i];
                };
            }
            case F8_E4M3, F8_E5M2, I8, U8, BOOL -> {
                float[] table = byteValues(type);
                byte[] raw = new byte[BLOCK];
                yield (source, offset, count, values) -> {
                    MemorySegment.copy(source, ValueLayout.JAVA_BYTE, offset, raw, 0, count);
                    for (int i = 0; i < count; i++) values[i] = table[raw[i] & 0xff];
                };
            }
            case I64, I16 -> (source, offset, count, values) -> {
                long first = offset / type.bytes();
                for (int i = 0; i < count; i++) values[i] = integer(type, source, first + i);
            };
            case F32 -> throw new IllegalArgumentException("fp32 is copied, not converted");
        };
    }

    private static float[] byteValues(DType type) {
        float[] table = new float[256];
        for (int bits = 0; bits < 256; bits++) {
            table[bits] = switch (type) {
                case F8_E4M3 -> HalfPrecision.fromE4m3((byte) bits);
                case F8_E5M2 -> HalfPrecision.fromE5m2((byte) bits);
                case I8 -> (byte) bits;
                case U8, BOOL -> bits;
                case F64, F32, F16, BF16, I64, I32, I16 -> throw new IllegalArgumentException(type + " is wider");
            };
        }
        return table;
    }
}
