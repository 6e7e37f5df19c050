package nocturne.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;
import net.jqwik.api.statistics.Statistics;
import nocturne.adapter.AdapterModule.LowRank;
import nocturne.golden.Golden;
import nocturne.io.DType;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.problem.UserMistake;

class AdapterFilePropertyTest {
    private static final Map<String, LinearShape> LEGAL = LoraTargets.of(2, 4);
    private static final List<String> PREFIXES =
            List.of("", "diffusion_model.", "transformer.", "lora_unet_", "lycoris_");
    private static final List<String> ENDINGS = List.of(".lora_A.weight", ".lora_B.weight", ".lora_down.weight",
            ".lora_up.weight", ".alpha", ".lokr_w1", ".lokr_w1_a", ".lokr_w1_b", ".lokr_w2", ".lokr_w2_a", ".lokr_w2_b",
            ".dora_scale", ".lora_A", "", ".weight");

    private Path file = Path.of("");

    @BeforeProperty
    void makeFile() throws IOException {
        file = Files.createTempFile("adapter", ".safetensors");
    }

    @AfterProperty
    void removeFile() throws IOException {
        Files.delete(file);
    }

    /// A sound file of a random dialect, then up to two changes to its keys, shapes and values. Whatever is not
    /// refused fits the model exactly, and both happen often.
    @Property(tries = 400)
    void aDamagedAdapterIsRefusedOrFitsTheModel(@ForAll Random random) {
        Map<String, List<Long>> shapes = soundShapes(random);
        int changes = random.nextInt(3);
        for (int i = 0; i < changes; i++) damage(shapes, random);
        List<TensorData> tensors = new ArrayList<>();
        shapes.forEach((name, shape) -> {
            float[] values = normal(random, shape.stream().mapToInt(Long::intValue).reduce(1, (a, b) -> a * b));
            if (values.length > 0 && random.nextInt(50) == 0) values[0] = Float.NaN;
            tensors.add(TensorData.floats(name, DType.F32, shape, values));
        });
        SafetensorsWriter.write(file, Map.of(), tensors);
        try {
            AdapterWeights adapter = AdapterFile.read(file, LEGAL);
            assertThat(adapter.modules()).isNotEmpty();
            Statistics.collect("read");
            adapter.modules().forEach((name, module) -> {
                LinearShape shape = LEGAL.get(name);
                assertThat(new LinearShape(module.out(), module.in())).isEqualTo(shape);
                assertThat(module.delta()).hasSize(shape.out() * shape.in());
            });
        } catch (UserMistake refusal) {
            assertThat(refusal.problems()).isNotEmpty();
            Statistics.collect("refused");
        }
        Statistics.coverage(outcomes -> {
            outcomes.check("read").count(count -> count > 30);
            outcomes.check("refused").count(count -> count > 30);
        });
    }

    private static Map<String, List<Long>> soundShapes(Random random) {
        String prefix = PREFIXES.get(random.nextInt(PREFIXES.size()));
        int kind = random.nextInt(4);
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        LEGAL.forEach((module, shape) -> {
            if (random.nextInt(4) != 0) return;
            String key = prefix + (prefix.endsWith("_") ? module.replace('.', '_') : module);
            KroneckerSplit out = KroneckerSplit.of(shape.out(), 2);
            KroneckerSplit in = KroneckerSplit.of(shape.in(), 2);
            // Insertion order is fixed, so that a failing seed can be repeated.
            if (kind == 0) {
                shapes.put(key + ".lora_A.weight", shape(3, shape.in()));
                shapes.put(key + ".lora_B.weight", shape(shape.out(), 3));
                return;
            }
            if (kind != 3) shapes.put(key + ".alpha", List.of());
            if (kind == 1) {
                shapes.put(key + ".lora_down.weight", shape(3, shape.in()));
                shapes.put(key + ".lora_up.weight", shape(shape.out(), 3));
                return;
            }
            shapes.put(key + ".lokr_w1", shape(out.first(), in.first()));
            if (kind == 2) {
                shapes.put(key + ".lokr_w2", shape(out.second(), in.second()));
            } else {
                shapes.put(key + ".lokr_w2_a", shape(out.second(), 3));
                shapes.put(key + ".lokr_w2_b", shape(3, in.second()));
            }
        });
        return shapes;
    }

    private static void damage(Map<String, List<Long>> shapes, Random random) {
        if (shapes.isEmpty()) return;
        String name = List.copyOf(shapes.keySet()).get(random.nextInt(shapes.size()));
        List<Long> shape = new ArrayList<>(shapes.getOrDefault(name, List.of()));
        switch (random.nextInt(6)) {
            case 0 -> shapes.remove(name);
            case 1 -> {
                shapes.remove(name);
                shapes.put(name + ENDINGS.get(random.nextInt(ENDINGS.size())), shape);
            }
            case 2 -> {
                shapes.remove(name);
                String ending = ENDINGS.get(random.nextInt(ENDINGS.size()));
                shapes.put(name.replaceFirst("\\.(lora|lokr|alpha).*", "") + ending, shape);
            }
            case 3 -> {
                if (!shape.isEmpty()) shape.set(random.nextInt(shape.size()), (long) random.nextInt(9));
                shapes.put(name, shape);
            }
            case 4 -> {
                shape.add(1L);
                shapes.put(name, shape);
            }
            default -> shapes.put("stray." + random.nextInt(), shape);
        }
    }

    private static List<Long> shape(long rows, long columns) {
        return List.of(rows, columns);
    }

    @Property(tries = 60)
    void whatIsWrittenIsReadWithTheSameEffect(
            @ForAll @IntRange(min = 1, max = 6) int rank,
            @ForAll @FloatRange(min = 0.01f, max = 100) float scale,
            @ForAll Random random) {
        List<LowRank> modules = new ArrayList<>();
        for (Map.Entry<String, LinearShape> target : LEGAL.entrySet()) {
            if (!modules.isEmpty() && random.nextBoolean()) continue;
            LinearShape shape = target.getValue();
            modules.add(new LowRank(target.getKey(), rank, shape.in(), shape.out(),
                    normal(random, rank * shape.in()), normal(random, rank * shape.out()), scale));
        }
        for (DType dtype : List.of(DType.F32, DType.F16, DType.BF16)) {
            AdapterFile.write(file, modules, dtype, AdapterMetadataTest.sample(), false);
            AdapterWeights read = AdapterFile.read(file, LEGAL);
            assertThat(read.modules()).hasSize(modules.size());
            double precision = dtype == DType.F32 ? 1e-6 : dtype == DType.F16 ? 0x1p-10 : 0x1p-7;
            for (LowRank module : modules) {
                // Relative to the sizes of the factors: their product may cancel.
                double size = Math.abs(scale) * length(module.down()) * length(module.up());
                AdapterModule again = read.modules().get(module.module());
                assertThat(Golden.maxAbsDiff(again.delta(), module.delta())).isLessThan(precision * size);
            }
        }
    }

    private static float[] normal(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) values[i] = (float) random.nextGaussian();
        return values;
    }

    private static double length(float[] values) {
        double sum = 0;
        for (float value : values) sum += (double) value * value;
        return Math.sqrt(sum);
    }
}
