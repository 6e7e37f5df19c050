package nocturne.recipe;

import static nocturne.recipe.Key.choice;
import static nocturne.recipe.Key.flag;
import static nocturne.recipe.Key.line;
import static nocturne.recipe.Key.modelPlace;
import static nocturne.recipe.Unused.fixed;
import static nocturne.recipe.Unused.ignored;

import java.util.List;
import nocturne.quant.WeightType;

/// `model`: what stays frozen.
final class ModelKeys {
    static final Key<String> NAME_OR_PATH = Key.of("name_or_path", modelPlace(),
                    "The model: the name of a provisioned one, or a local folder.")
            .standard("Qwen/Qwen-Image-Edit-2509", "S2-01")
            .why("A LoRA fits the model it was trained on, and its close relatives.")
            .works("Qwen/Qwen-Image-Edit-2509", "Qwen/Qwen-Image");
    static final Key<Architecture> ARCH = Key.of("arch", choice(Architecture.class),
                    "Which member of the model family it is.")
            .follows("from name_or_path", "S2-51")
            .why("The members of the family take prompts and control pictures in different ways.")
            .works(Architecture.QWEN_IMAGE_EDIT_2509);
    static final Key<Boolean> QUANTIZE = Key.of("quantize", flag(),
                    "Keep the transformer's weights in a smaller format.")
            .standard(false, "B7")
            .why("The weights take 41 GB in 16 bits and half of that in 8. They are frozen, so what they "
                    + "lose is small and does not grow.")
            .works(true);
    static final Key<WeightFormat> QTYPE = Key.<WeightFormat>of("qtype", new Kind.WeightFormatText(),
                    "The smaller format of the transformer, and after a | the adapter that recovers its loss.")
            .borrowing("quantize_dtype", "quantization", "quantize_type")
            .standard(new WeightFormat(WeightType.FLOAT8, null), "S1-10")
            .why("8 bits cannot be told from 16 by eye; 6 are the floor for good quality; 4 and fewer "
                    + "show, and need an adapter that recovers what they lose.")
            .works(new WeightFormat(WeightType.FLOAT8, null), new WeightFormat(WeightType.INT8, null),
                    new WeightFormat(WeightType.UINT6, null));
    static final Key<Boolean> QUANTIZE_TE = Key.of("quantize_te", flag(),
                    "Keep the text encoder's weights in a smaller format.")
            .follows("= quantize", "B7")
            .why("It reads each caption once, before training; there is no quality reason not to.")
            .works(true);
    static final Key<WeightFormat> QTYPE_TE = Key.<WeightFormat>of("qtype_te", new Kind.WeightFormatText(),
                    "The smaller format of the text encoder.")
            .standard(new WeightFormat(WeightType.FLOAT8, null), "S1-09")
            .why("8 bits cannot be told from 16 in what it says about a caption.")
            .works(new WeightFormat(WeightType.FLOAT8, null));
    static final Key<String> RECOVERY = Key.of("accuracy_recovery_adapter", line(1000),
            "The adapter that recovers the loss of qtype; the same as a | in qtype.").passing()
            .why("It was trained to put back what a low format loses; it is frozen, and never part of your "
                    + "LoRA.")
            .works("recovery/qwen_image_edit_2509_uint3.safetensors");
    static final Key<Boolean> LOW_VRAM = Key.of("low_vram", flag(), "Prefer little memory to speed.")
            .standard(false, "B7")
            .why("Kept because recipes have it: memory is planned by the program, for the card at hand.")
            .works(false);

    static final Key<Boolean> MATCH_TARGET_RES = Key.of("match_target_res", flag(),
                    "Encode control pictures at the target's size instead of about one megapixel.")
            .standard(false, "B7")
            .why("Larger control pictures show finer detail and cost time and memory in every step.")
            .works(false);
    static final Block KWARGS = Block.of("model_kwargs", List.of(MATCH_TARGET_RES), List.of(), List.of());

    static final Block BLOCK = Block.of("model",
            List.of(NAME_OR_PATH, ARCH, QUANTIZE, QTYPE, QUANTIZE_TE, QTYPE_TE, RECOVERY, LOW_VRAM),
            List.of(KWARGS),
            List.of(
                    ignored("S2-51", "the architecture follows from arch or name_or_path; model.arch says which",
                            "is_qwen", "is_qwen_image"),
                    fixed("B7", "only the Qwen-Image family is trained here", "is_flux", "is_v2", "is_v3", "is_xl",
                            "is_pixart*", "is_auraflow", "is_lumina2", "is_v_pred", "is_ssd", "is_vega",
                            "experimental_xl", "latent_space_version", "in_context", "use_flux_cfg", "refiner_*",
                            "use_text_encoder_*", "attn_masking"),
                    ignored("B7", "train.dtype decides", "dtype"),
                    ignored("B7", "memory is planned by the program", "layer_offloading", "layer_offloading_*",
                            "auto_memory", "compile", "block_compile", "compile_*", "cache_size_limit",
                            "te_device", "vae_device"),
                    fixed("B7", "quantize_te and qtype_te say it", "text_encoder_bits=16"),
                    fixed("B7", "one job runs on one device", "split_model_over_gpus"),
                    fixed("B7", "name_or_path is the whole model", "extras_name_or_path", "te_name_or_path", "vae_path",
                            "unet_path", "model_paths"),
                    fixed("B7", "further LoRAs are not loaded", "lora_path", "assistant_lora_path",
                            "inference_lora_path", "unconditional_lora_path"),
                    fixed("B7", "all linear layers of the blocks are kept in qtype", "ignore_if_contains",
                            "only_if_contains", "quantize_kwargs")));

    private ModelKeys() {}
}
