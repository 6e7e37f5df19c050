package nocturne.train;

import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import nocturne.adapter.Lora;
import nocturne.io.DType;
import nocturne.tensor.Backend;
import nocturne.tensor.MomentCodes;
import nocturne.tensor.Optimisation;
import nocturne.tensor.Optimisation.AdamW;
import nocturne.tensor.Optimisation.Moments8;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// Both moments in bytes: a quarter of the memory. Factors that are too small to gain by it keep float32.
///
/// Each factor of the LoRA is a tensor of its own, whose first block begins with it. Source: bitsandbytes' `AdamW8bit`.
final class ByteMoments implements Moments {
    private final Backend backend;
    private final Map<Lora.Span, Place> places = new HashMap<>();
    private final SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
    private final Tensor m;
    private final Tensor v;
    private final Tensor mCodes;
    private final Tensor vCodes;
    private final Tensor mLargest;
    private final Tensor vLargest;

    /// Where a factor's moments begin.
    ///
    /// @param at    element in `m` and `v` for small factors, else in `mCodes` and `vCodes`
    /// @param block in `mLargest` and `vLargest`
    private record Place(int at, int block) {}

    ByteMoments(Lora lora, Backend backend, TensorArena arena) {
        this.backend = backend;
        int small = 0;
        int large = 0;
        int blocks = 0;
        for (Lora.Span factor : lora.factors()) {
            if (isSmall(factor)) {
                places.put(factor, new Place(small, 0));
                small += Math.toIntExact(factor.length());
            } else {
                places.put(factor, new Place(large, blocks));
                large += Math.toIntExact(factor.length());
                blocks += MomentCodes.blocks(factor.length());
            }
        }
        m = zeros("m", DType.F32, small, arena);
        v = zeros("v", DType.F32, small, arena);
        mCodes = zeros("m_codes", DType.U8, large, arena);
        vCodes = zeros("v_codes", DType.U8, large, arena);
        mLargest = zeros("m_largest", DType.F32, blocks, arena);
        vLargest = zeros("v_largest", DType.F32, blocks, arena);
    }

    private static boolean isSmall(Lora.Span factor) {
        return factor.length() < MomentCodes.LEAST_ELEMENTS;
    }

    private Tensor zeros(String name, DType type, int elements, TensorArena arena) {
        Tensor tensor = arena.allocate(type, elements);
        try (Arena memory = Arena.ofConfined()) {
            backend.fromHostMemory(memory.allocate((long) type.bytes() * elements), tensor);
        }
        tensors.put(name, tensor);
        return tensor;
    }

    @Override
    public void update(Lora lora, AdamW settings, int number, float gradientFactor) {
        Optimisation optimisation = backend.optimisation();
        for (Lora.Span factor : lora.factorsWithGradient()) {
            Tensor values = factor.of(lora.values());
            Tensor gradients = factor.of(lora.gradients());
            Place place = Objects.requireNonNull(places.get(factor));
            int length = Math.toIntExact(factor.length());
            if (isSmall(factor)) {
                optimisation.adamW(values, gradients, m.slice(place.at, length), v.slice(place.at, length), settings,
                        number, gradientFactor);
            } else {
                int blocks = MomentCodes.blocks(length);
                Moments8 moments = new Moments8(mCodes.slice(place.at, length), vCodes.slice(place.at, length),
                        mLargest.slice(place.block, blocks), vLargest.slice(place.block, blocks));
                optimisation.adamW8(values, gradients, moments, settings, number, gradientFactor);
            }
        }
    }

    @Override
    public SequencedMap<String, Tensor> tensors() {
        return tensors;
    }

    @Override
    public List<Tensor> numbers() {
        return List.of(m, v, mLargest, vLargest);
    }
}
