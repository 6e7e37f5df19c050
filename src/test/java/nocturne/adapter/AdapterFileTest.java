package nocturne.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import nocturne.adapter.AdapterModule.LowRank;
import nocturne.golden.Golden;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.io.DType;
import nocturne.io.Safetensors;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.ledger.Ledger;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdapterFileTest {
    private static final Map<String, LinearShape> LEGAL = LoraTargets.of(2, 8);
    private static final String M = "transformer_blocks.0.attn.to_q";

    @TempDir
    Path folder;

    private final List<TensorData> tensors = new ArrayList<>();

    private void put(String name, long... shape) {
        float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        Arrays.fill(values, 0.5f);
        put(name, values, shape);
    }

    private void put(String name, float[] values, long... shape) {
        tensors.add(TensorData.floats(name, DType.F32, Arrays.stream(shape).boxed().toList(), values));
    }

    private AdapterWeights read(Map<String, String> metadata) {
        Path file = folder.resolve("in.safetensors");
        SafetensorsWriter.write(file, metadata, tensors);
        return AdapterFile.read(file, LEGAL);
    }

    private void refuses(String... reasons) {
        refuses(Map.of(), reasons);
    }

    private void refuses(Map<String, String> metadata, String... reasons) {
        assertThatThrownBy(() -> read(metadata)).isInstanceOfSatisfying(UserMistake.class, mistake -> {
            assertThat(mistake.problems()).allMatch(problem -> problem.code().equals("ADAPTER_INVALID"));
            assertThat(mistake.report()).contains(reasons);
        });
    }

    private void putPair(String key) {
        put(key + ".lora_A.weight", 2, 8);
        put(key + ".lora_B.weight", 8, 2);
    }

    @Test
    void everythingThatDoesNotFitIsToldAtOnce() {
        putPair("diffusion_model." + M);
        put("diffusion_model.transformer_blocks.7.attn.to_q.lora_A.weight", 2, 8);
        put("diffusion_model.transformer_blocks.1.attn.to_k.lora_A.weight", 2, 8);
        put("diffusion_model.transformer_blocks.1.attn.to_v.lora_B.weight", 8, 2);
        put("diffusion_model.transformer_blocks.1.img_mod.1.lora_A.weight", 2, 9);
        put("diffusion_model.transformer_blocks.1.img_mod.1.lora_B.weight", 48, 2);
        put("diffusion_model.transformer_blocks.1.txt_mod.1.lora_A.weight", 2, 8);
        put("diffusion_model.transformer_blocks.1.txt_mod.1.lora_B.weight", 48, 3);
        put("diffusion_model." + M + ".dora_scale", 8);
        put("diffusion_model.img_in.lora_A.weight", 2, 8);
        put("lora_te_text_model_layer.alpha");
        put("transformer_blocks.1.attn.to_out.0.alpha");
        put("what is this", 1);
        refuses("10 problems", "blocks.7.attn.to_q.lora_A.weight: names a layer that this model does not have",
                "blocks.1.attn.to_k: lacks its lora_B (up)", "blocks.1.attn.to_v: lacks its lora_A (down)",
                "[2, 9] where [2, 8] is needed", "[48, 3] where [48, 2] is needed", "dora_scale: is DoRA",
                "img_in.lora_A.weight: names a layer", "adapts the text encoder", "has an alpha but no weights",
                "what is this: is no known kind");
    }

    @Test
    void anAdapterForAnotherModelIsRecognisedAndNotPrintedInFull() {
        for (int i = 0; i < 300; i++) put("lora_unet_double_blocks_" + i + "_img_attn_qkv.lora_down.weight", 1, 1);
        refuses("made for another model", "300 problems", "and 250 more like these");
    }

    @Test
    void twoSpellingsOfOneTensorAreRefused() {
        putPair(M);
        putPair("transformer." + M);
        refuses("says the same as " + M + ".lora_A.weight");
    }

    @Test
    void anEmptyFileIsNoAdapter() {
        refuses("holds no adapter tensors");
    }

    @Test
    void valuesThatAreNoNumbersAreRefused() {
        put(M + ".lora_down.weight", new float[] {1, 1, 1, Float.NaN, 1, 1, 1, 1}, 1, 8);
        put(M + ".lora_up.weight", 8, 1);
        refuses("with the value NaN");
        tensors.clear();
        put(M + ".lora_down.weight", 1, 8);
        put(M + ".lora_up.weight", 8, 1);
        put(M + ".alpha", new float[] {Float.POSITIVE_INFINITY});
        refuses("has the alpha Infinity");
    }

    @Test
    void scalesFollowTheRulesOfTheReaders() {
        putPair(M);
        assertThat(scale(Map.of())).as("alpha absent").isEqualTo(1);
        assertThat(scale(settings("\"r\":2,\"lora_alpha\":8"))).isEqualTo(4);
        assertThat(scale(settings("\"transformer.r\":2,\"transformer.lora_alpha\":5.0"))).isEqualTo(2.5f);
        assertThat(scale(settings("\"r\":2,\"lora_alpha\":8,\"use_rslora\":true")))
                .isEqualTo((float) (8 / Math.sqrt(2)));
        assertThat(scale(settings("\"r\":64,\"lora_alpha\":8,\"rank_pattern\":{\"attn.to_q\":2},"
                + "\"alpha_pattern\":{\"^transformer_blocks\\\\.0\\\\.attn\\\\.to_q\":6}"))).isEqualTo(3);
        assertThat(scale(settings("\"text_encoder.r\":2"))).as("nothing about the transformer").isEqualTo(1);
        put(M + ".alpha", new float[] {6});
        assertThat(scale(settings("\"r\":2,\"lora_alpha\":8"))).as("the file's own alpha wins").isEqualTo(3);
        assertThat(read(Map.of()).notices()).singleElement().asString().contains("diffusers ignores it");
    }

    @Test
    void settingsThatCannotBeHonouredAreRefused() {
        putPair(M);
        refuses(settings("\"r\":4,\"lora_alpha\":8"), "has rank 2, the file's metadata says 4");
        refuses(settings("\"r\":2,\"lora_alpha\":8,\"use_dora\":true"), "DoRA");
        refuses(settings("\"r\":2"), "has the alpha");
        refuses(settings("\"r\":0,\"lora_alpha\":8"), "has the rank 0");
        refuses(settings("\"r\":2,\"lora_alpha\":8,\"alpha_pattern\":{\"(a+)+$\":1}"), "has the pattern");
        refuses(Map.of("lora_adapter_metadata", "[".repeat(100_000)), "lora_adapter_metadata");
        refuses(Map.of("lora_adapter_metadata", "{"), "not well-formed");
        refuses(Map.of("lora_adapter_metadata", ""), "not a JSON object");
    }

    private float scale(Map<String, String> metadata) {
        return ((LowRank) read(metadata).modules().get(M)).scale();
    }

    private static Map<String, String> settings(String json) {
        return Map.of("lora_adapter_metadata", "{" + json + "}");
    }

    @Test
    void aLowRankKroneckerIsScaledByAlphaAndAWholeOneIsNot() {
        put(M + ".lokr_w1", 2, 2);
        put(M + ".lokr_w2_a", 4, 3);
        put(M + ".lokr_w2_b", 3, 4);
        put(M + ".alpha", new float[] {6});
        // 0.5 times (0.5 * 0.5 summed over rank 3), times 6 / 3.
        assertThat(read(Map.of()).modules().get(M).delta()).hasSize(64).containsOnly(0.5f * 0.75f * 2);
        tensors.clear();
        put(M + ".lokr_w1_a", 2, 1);
        put(M + ".lokr_w1_b", 1, 2);
        put(M + ".lokr_w2", 4, 4);
        put(M + ".alpha", new float[] {3});
        assertThat(read(Map.of()).modules().get(M).delta()).hasSize(64).containsOnly(0.25f * 0.5f * 3);
        tensors.clear();
        put(M + ".lokr_w1", 2, 2);
        put(M + ".lokr_w2", 4, 4);
        put(M + ".alpha", new float[] {Float.POSITIVE_INFINITY});
        assertThat(read(Map.of()).modules().get(M).delta()).hasSize(64).containsOnly(0.25f);
    }

    @Test
    void kroneckerFactorsThatDoNotFitAreRefused() {
        put(M + ".lokr_w1", 2, 2);
        put(M + ".lokr_w2", 4, 5);
        put("transformer_blocks.0.attn.to_k.lokr_w1", 2, 2);
        put("transformer_blocks.0.attn.to_v.lokr_w1", 2, 2);
        put("transformer_blocks.0.attn.to_v.lokr_w2_a", 4, 2);
        put("transformer_blocks.0.attn.to_out.0.lokr_w1", 2, 2);
        put("transformer_blocks.0.attn.to_out.0.lokr_w2", 4, 4);
        put("transformer_blocks.0.attn.to_out.0.lora_A.weight", 2, 8);
        refuses("product does not fit the layer's [8, 8]", "to_k: lacks its lokr_w2 tensor",
                "to_v: lacks its lokr_w2_b tensor", "both LoRA and LoKr");
    }

    private static LowRank module(float scale, Consumer<float[]> down, Consumer<float[]> up) {
        float[] a = new float[16];
        float[] b = new float[16];
        for (int i = 0; i < 16; i++) {
            a[i] = (i - 7) / 64f;
            b[i] = (i - 3) / 32f;
        }
        down.accept(a);
        up.accept(b);
        return new LowRank(M, 2, 8, 8, a, b, scale);
    }

    private static LowRank module(float scale) {
        return module(scale, a -> {}, b -> {});
    }

    private AdapterFile.Written write(LowRank module, DType dtype, boolean mayBeZero) {
        return AdapterFile.write(folder.resolve("out.safetensors"), List.of(module), dtype,
                AdapterMetadataTest.sample(), mayBeZero);
    }

    @Test
    void theWrittenFileHasTheFormThatBothReadersAgreeOn() throws Exception {
        AdapterFile.Written written = write(module(1), DType.BF16, false);
        try (Safetensors file = Safetensors.open(written.path())) {
            assertThat(file.tensors().keySet()).containsExactly(
                    "diffusion_model." + M + ".lora_A.weight", "diffusion_model." + M + ".lora_B.weight");
            assertThat(file.entry("diffusion_model." + M + ".lora_A.weight").shape()).containsExactly(2L, 8L);
            assertThat(file.entry("diffusion_model." + M + ".lora_B.weight").shape()).containsExactly(8L, 2L);
            assertThat(file.entry("diffusion_model." + M + ".lora_A.weight").dtype()).isEqualTo(DType.BF16);
            assertThat(file.metadata()).containsKeys("format", "modelspec.title", "ss_network_dim", "nocturne");
        }
        assertThat(written.sha256()).isEqualTo(ContentHash.ofFile(written.path()));
        assertThat(written.subnormalShare()).isZero();
    }

    @Test
    void theSameAdapterGivesTheSameBytes() {
        assertThat(write(module(2), DType.F16, false).sha256()).isEqualTo(write(module(2), DType.F16, false).sha256());
    }

    @Test
    void aScaleThatLeavesTheRangeOfFp16IsSpreadOverBothMatrices() {
        LowRank module = module(1e6f);
        write(module, DType.F16, false);
        LowRank read = (LowRank) AdapterFile.read(folder.resolve("out.safetensors"), LEGAL).modules().get(M);
        assertThat(read.scale()).isEqualTo(1);
        assertThat(Golden.relativeL2(read.delta(), module.delta())).isLessThan(0x1p-10);
    }

    @Test
    void valuesTooSmallForFp16AreLiftedByTheOtherMatrix() {
        LowRank module = module(1e-5f);
        AdapterFile.Written written = write(module, DType.F16, false);
        LowRank read = (LowRank) AdapterFile.read(folder.resolve("out.safetensors"), LEGAL).modules().get(M);
        assertThat(written.subnormalShare()).isLessThan(0.1);
        assertThat(Golden.relativeL2(read.delta(), module.delta())).isLessThan(0.01);
        LowRank hopeless = module(1e-12f);
        assertThat(write(hopeless, DType.F16, true).subnormalShare()).isGreaterThan(0.4);
    }

    @Test
    @Ledger("S2-38")
    void valuesThatFitNowhereAreRefusedAndLeaveNoFile() {
        LowRank large = module(1, a -> a[3] = 1e6f, b -> b[3] = 1e6f);
        assertThatThrownBy(() -> write(large, DType.F16, false)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("save as bf16 or float32");
        LowRank diverged = module(1, a -> {}, b -> b[5] = Float.NaN);
        assertThatThrownBy(() -> write(diverged, DType.F32, false)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("diverged");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void anAdapterThatChangesNothingIsOnlyWrittenWhereThatIsRight() {
        LowRank untrained = module(1, a -> {}, b -> Arrays.fill(b, 0));
        assertThatThrownBy(() -> write(untrained, DType.BF16, false))
                .isInstanceOfSatisfying(SickMachine.class, e -> assertThat(e.code()).isEqualTo("ADAPTER_UNREADABLE"))
                .hasMessageContaining("every lora_B is zero");
        assertThat(folder).isEmptyDirectory();
        write(untrained, DType.BF16, true);
        assertThat(folder.resolve("out.safetensors")).exists();
    }

    /// The proof is run against files that differ from what was meant in each way a disk or a bug could cause.
    @Test
    void aFileThatIsNotWhatWasMeantIsFoundOut() {
        TensorData a = TensorData.floats("x.lora_A.weight", DType.F32, List.of(1L, 2L), new float[] {1, 2});
        TensorData b = TensorData.floats("x.lora_B.weight", DType.F32, List.of(2L, 1L), new float[] {3, 4});
        AdapterProof proof = new AdapterProof(folder.resolve("x"), List.of(a, b), false);
        Path file = folder.resolve("x.safetensors");
        SafetensorsWriter.write(file, Map.of(), List.of(a, b));
        proof.check(file);
        List<List<TensorData>> wrong = List.of(
                List.of(a),
                List.of(a, b, TensorData.ints("y", List.of(), new int[1])),
                List.of(a, TensorData.floats(b.name(), DType.F32, List.of(1L, 2L), new float[] {3, 4})),
                List.of(a, TensorData.floats(b.name(), DType.BF16, b.shape(), new float[] {3, 4})),
                List.of(a, TensorData.floats(b.name(), DType.F32, b.shape(), new float[] {3, 4.000001f})),
                List.of(a, TensorData.floats(b.name(), DType.F32, b.shape(), new float[] {3, Float.NaN})));
        for (List<TensorData> tensors : wrong) {
            SafetensorsWriter.write(file, Map.of(), tensors);
            assertThatThrownBy(() -> proof.check(file)).isInstanceOf(SickMachine.class);
        }
        AtomicFiles.writeString(file, "torn");
        assertThatThrownBy(() -> proof.check(file)).isInstanceOf(SickMachine.class).hasMessageContaining("x");
    }
}
