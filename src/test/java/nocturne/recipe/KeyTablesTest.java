package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The tables are whole: no name twice, every default readable, every key explained, every key of the dialect judged.
class KeyTablesTest {
    static Stream<Block> blocks() {
        return inside(RootKeys.ROOT);
    }

    private static Stream<Block> inside(Block block) {
        return Stream.concat(Stream.of(block), block.blocks().stream().flatMap(KeyTablesTest::inside));
    }

    @ParameterizedTest
    @MethodSource("blocks")
    void noNameMeansTwoThings(Block block) {
        List<String> names = new ArrayList<>();
        for (Key<?> key : block.keys()) names.addAll(key.names());
        for (Block inner : block.blocks()) names.add(inner.name());
        for (Unused row : block.unused()) for (String name : row.names()) names.add(Unused.name(name));
        assertThat(names).doesNotHaveDuplicates();
    }

    @TestFactory
    Stream<DynamicTest> everyKeyIsExplainedAndItsDefaultReadsBack() {
        return blocks().flatMap(block -> block.keys().stream()
                .map(key -> DynamicTest.dynamicTest(block.name() + "." + key.name(), () -> check(key))));
    }

    private static <T> void check(Key<T> key) {
        assertThat(key.meaning()).endsWith(".");
        assertThat(key.advice()).satisfiesAnyOf(advice -> assertThat(advice).isEmpty(), advice -> assertThat(advice).endsWith("."));
        Optional<T> standard = key.standard();
        if (standard.isEmpty()) return;
        assertThat(key.basis()).as("why this default").isNotEmpty();
        Findings findings = new Findings("table");
        Node printed = RecipeSource.parse(key.kind().print(standard.get()), "table.yaml", findings);
        assertThat(key.kind().read(printed, key.name(), "", findings)).isEqualTo(standard);
    }

    /// The names of the dialect, block by block, as its own documentation and web interface list them.
    @ParameterizedTest
    @MethodSource("dialect")
    void everyKeyOfTheDialectIsJudged(String block, String names) {
        Block table = blocks().filter(candidate -> candidate.name().equals(block)).findFirst().orElseThrow();
        assertThat(names.split("\\s+")).allSatisfy(name -> assertThat(table.knows(name)).as("%s.%s", block, name).isTrue());
    }

    static Stream<org.junit.jupiter.params.provider.Arguments> dialect() {
        return Stream.of(
                arguments("", """
                        job name meta type training_folder device trigger_word training_seed performance_log_every log_dir \
                        sqlite_db_path torch_profiler first_sample guidance embedding decorator adapter slider do_lorm \
                        lorm_config network save logging datasets train model sample seed"""),
                arguments("network", """
                        type linear rank linear_alpha alpha conv conv_alpha dropout network_kwargs transformer_only \
                        lokr_full_rank lokr_factor old_lokr_format pretrained_lora_path layer_offloading split_multistage_loras \
                        all_layers lorm"""),
                arguments("save", "dtype save_every max_step_saves_to_keep save_format push_to_hub hf_repo_id hf_private"),
                arguments("logging", "log_every verbose use_wandb project_name run_name use_ui_logger"),
                arguments("datasets", """
                        folder_path dataset_path resolution buckets bucket_tolerance caption_ext caption_type default_caption \
                        trigger_word num_repeats caption_dropout_rate token_dropout_rate keep_tokens shuffle_tokens \
                        random_triggers random_triggers_max replacements use_short_captions cache_latents \
                        cache_latents_to_disk cache_text_embeddings cache_tensors_to_disk cache_clip_vision_to_disk \
                        load_image_when_caching_latents cache_latents_num_workers is_reg prior_reg network_weight \
                        loss_multiplier flip_x flip_y random_scale random_crop square_crop scale augments augmentations \
                        shuffle_augmentations standardize_images control_path control_path_1 control_path_2 control_path_3 \
                        control_from_same_folder num_controls_from_same_folder control_transparent_color \
                        full_size_control_images replay_transforms controls mask_path alpha_mask invert_mask mask_min_value \
                        inpaint_path unconditional_path clip_image_path guidance_type batch_size num_workers prefetch_factor \
                        fast_image_size extra_values debug num_frames shrink_video_to_frames fps auto_frame_count do_i2v \
                        do_audio poi"""),
                arguments("train", """
                        steps batch_size gradient_accumulation gradient_accumulation_steps lr unet_lr text_encoder_lr \
                        embedding_lr adapter_lr refiner_lr optimizer optimizer_params lr_scheduler lr_scheduler_params \
                        max_grad_norm dtype train_unet train_text_encoder train_refiner gradient_checkpointing \
                        noise_scheduler timestep_type content_or_style content_or_style_reg min_denoising_steps \
                        max_denoising_steps num_train_timesteps linear_timesteps linear_timesteps2 next_sample_timesteps \
                        loss_type loss_target pred_scaler noise_offset noise_multiplier random_noise_shift img_multiplier \
                        latent_multiplier noisy_latent_multiplier min_snr_gamma snr_gamma learnable_snr_gos \
                        dynamic_noise_offset adaptive_scaling_factor standardize_images standardize_latents match_noise_norm \
                        correct_pred_norm correct_pred_norm_multiplier target_norm_std target_norm_std_value weight_jitter \
                        do_signal_correction_noise do_batch_noise_correction blended_blur_noise force_consistent_noise \
                        optimal_noise_pairing_samples t0_velocity do_fft_loss do_cfg cfg_scale max_cfg_scale cfg_rescale \
                        do_random_cfg do_guidance_loss do_guidance_loss_cfg_zero guidance_loss_target \
                        unconditional_prompt do_differential_guidance differential_guidance_scale ema_config \
                        cache_text_embeddings unload_text_encoder skip_first_sample force_first_sample disable_sampling \
                        diff_output_preservation diff_output_preservation_multiplier diff_output_preservation_class \
                        blank_prompt_preservation blank_prompt_preservation_multiplier inverted_mask_prior \
                        inverted_mask_prior_multiplier reg_weight prompt_dropout_prob prompt_saturation_chance \
                        short_and_long_captions negative_prompt single_item_batching do_prior_divergence \
                        do_blank_stabilization max_negative_prompts merge_network_on_save merge_network_on_save_strength \
                        start_step xformers sdp attention_backend validation_config do_paramiter_swapping \
                        paramiter_swapping_factor latent_feature_extractor_path diffusion_feature_extractor_path \
                        adapter_assist_name_or_path train_turbo free_u switch_boundary_every bypass_guidance_embedding \
                        audio_loss_multiplier max_loss max_loss_debug epochs num_epochs max_train_epochs"""),
                arguments("ema_config", "use_ema ema_decay use_feedback param_multiplier"),
                arguments("validation_config", "validation_items resolution validate_every_n_steps validation_sigmas"),
                arguments("model", """
                        name_or_path arch is_qwen is_qwen_image is_flux dtype quantize qtype quantize_te qtype_te \
                        quantize_dtype quantization quantize_type accuracy_recovery_adapter low_vram layer_offloading \
                        layer_offloading_transformer_percent layer_offloading_text_encoder_percent auto_memory model_kwargs \
                        extras_name_or_path te_name_or_path vae_path unet_path model_paths lora_path assistant_lora_path \
                        inference_lora_path unconditional_lora_path ignore_if_contains only_if_contains quantize_kwargs \
                        compile block_compile compile_mode cache_size_limit attn_masking split_model_over_gpus use_flux_cfg \
                        refiner_name_or_path text_encoder_bits te_device vae_device is_v2 is_xl experimental_xl \
                        use_text_encoder_1 latent_space_version in_context"""),
                arguments("sample", """
                        sampler sample_every sample_start_step width height prompts samples neg seed walk_seed \
                        guidance_scale sample_steps guidance_rescale adapter_conditioning_scale refiner_start_at \
                        extra_values fps num_frames network_multiplier format do_cfg_norm"""),
                arguments("samples", """
                        prompt width height neg seed guidance_scale sample_steps ctrl_img ctrl_img_1 ctrl_img_2 ctrl_img_3 \
                        ctrl_idx network_multiplier do_cfg_norm fps num_frames"""));
    }

    private static org.junit.jupiter.params.provider.Arguments arguments(String block, String names) {
        return org.junit.jupiter.params.provider.Arguments.of(block, names);
    }
}
