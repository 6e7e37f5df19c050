package nocturne.qwen;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import nocturne.adapter.LinearShape;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.golden.Golden;
import nocturne.io.TensorSource;
import nocturne.tensor.Backend;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// The golden transformer: its weights, its adapters and its cases, all sizes taken from `transformer.json`.
public record TransformerCase(String name, JsonNode json) {
    private static final JsonNode MANIFEST = Golden.json("golden/transformer.json");

    public static List<TransformerCase> all() {
        List<TransformerCase> cases = new ArrayList<>();
        MANIFEST.path("cases").properties().forEach(c -> cases.add(new TransformerCase(c.getKey(), c.getValue())));
        return cases;
    }

    public static TransformerConfig config() {
        return TransformerConfig.of(MANIFEST.path("config"), "golden/transformer.json");
    }

    public static QwenImageTransformer load(Backend backend, TensorArena arena, boolean zeroCondT) {
        return load(Loading.PLAIN, backend, arena, zeroCondT);
    }

    public static QwenImageTransformer load(Loading loading, Backend backend, TensorArena arena, boolean zeroCondT) {
        return QwenImageTransformer.load(config().withZeroCondT(zeroCondT),
                Golden.tensors("golden/transformer_weights.safetensors"), loading, backend, arena);
    }

    /// The values of the forward variants: `base`, then one for each alpha.
    public static List<Double> alphas() {
        return StreamSupport.stream(MANIFEST.at("/lora/alphas").spliterator(), false).map(JsonNode::doubleValue)
                .toList();
    }

    public static String variant(double alpha) {
        return "alpha" + (alpha == Math.rint(alpha) ? Long.toString((long) alpha) : Double.toString(alpha));
    }

    /// The layers that carry adapters, with sizes as the adapter file has them.
    public static LoraLayout layout(TensorSource adapters) {
        SequencedMap<String, LinearShape> targets = new LinkedHashMap<>();
        int rank = 0;
        for (int i = 0; i < config().layers(); i++) {
            for (JsonNode linear : MANIFEST.at("/lora/targets")) {
                String module = "transformer_blocks.%d.%s".formatted(i, linear.textValue());
                List<Long> down = adapters.entry(module + ".lora_A.weight").shape();
                List<Long> up = adapters.entry(module + ".lora_B.weight").shape();
                rank = down.get(0).intValue();
                targets.put(module, new LinearShape(up.get(0).intValue(), down.get(1).intValue()));
            }
        }
        return LoraLayout.of(targets, rank);
    }

    /// A LoRA with the values of an adapter file.
    public static Lora lora(TensorSource adapters, double alpha, Backend backend, TensorArena arena) {
        Lora lora = new Lora(layout(adapters), alpha, backend, arena);
        backend.write(values(lora.layout(), adapters), lora.values());
        return lora;
    }

    /// The factors of an adapter file in the order of the layout's parameter vector.
    public static float[] values(LoraLayout layout, TensorSource adapters) {
        float[] values = new float[(int) layout.parameters()];
        for (LoraLayout.Slot slot : layout.slots()) {
            float[] down = adapters.floats(slot.module() + ".lora_A.weight");
            float[] up = adapters.floats(slot.module() + ".lora_B.weight");
            System.arraycopy(down, 0, values, (int) slot.downAt(), down.length);
            System.arraycopy(up, 0, values, (int) slot.upAt(), up.length);
        }
        return values;
    }

    public boolean zeroCondT() {
        return json.path("zero_cond_t").booleanValue();
    }

    public TensorSource data() {
        return Golden.tensors("golden/transformer_%s.safetensors".formatted(name));
    }

    public TransformerInput input(Backend backend, TensorArena arena) {
        float[] tokens = data().floats("hidden_states");
        float[] text = data().floats("encoder_hidden_states");
        List<Long> textShape = data().entry("encoder_hidden_states").shape();
        int batch = textShape.get(0).intValue();
        int length = textShape.get(1).intValue();
        int[] lengths = IntStream.range(0, batch)
                .map(b -> json.path("text_valid").isNull() ? length : json.path("text_valid").get(b).intValue())
                .toArray();
        int tokenWidth = config().tokenWidth();
        Tensor tokenTensor = backend.tensor(arena, tokens, tokens.length / tokenWidth, tokenWidth);
        Tensor textTensor = backend.tensor(arena, text, batch * length, textShape.get(2).intValue());
        return new TransformerInput(tokenTensor, textTensor, lengths, data().floats("timestep"),
                grids(json.path("img_shapes").get(0)));
    }

    /// `[[frames, rows, columns], ...]`, the target first.
    public static List<Grid> grids(JsonNode shapes) {
        return StreamSupport.stream(shapes.spliterator(), false)
                .map(shape -> new Grid(shape.get(1).intValue(), shape.get(2).intValue()))
                .toList();
    }

    @Override
    public String toString() {
        return name;
    }
}
