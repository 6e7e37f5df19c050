package nocturne.recipe;

import static nocturne.recipe.Unused.fixed;
import static nocturne.recipe.Unused.ignored;

import java.util.List;

/// What may stand in `train` in other trainers' recipes and does nothing here: experiments at their neutral values,
/// settings of other models, and what is forbidden for Qwen-Image.
final class TrainUnused {
    static final List<Unused> ROWS = List.of(
            fixed("S2-21", "training the text encoder makes Qwen-Image unstable", "train_text_encoder=false"),
            fixed("S1-02", "the transformer is what the adapter changes", "train_unet=true"),
            ignored("B6", "there is no refiner", "train_refiner"),
            fixed("S2-25, X-15", "Qwen-Image only knows flow matching; write flowmatch", "noise_scheduler=flowmatch"),
            fixed("X-12", "text embeddings are always cached", "cache_text_embeddings=true|false"),
            fixed("B6", "there are 1000 noise levels", "num_train_timesteps=1000"),
            ignored("B6", "content_or_style holds for all pictures, as in ai-toolkit", "content_or_style_reg"),

            fixed("B6", "preservation is not there yet", "diff_output_preservation", "blank_prompt_preservation",
                    "inverted_mask_prior"),
            ignored("B6", "it belongs to preservation", "diff_output_preservation_multiplier",
                    "diff_output_preservation_class", "blank_prompt_preservation_multiplier",
                    "inverted_mask_prior_multiplier"),
            fixed("B6", "the loss is not clipped; gradients are", "max_loss"),
            ignored("B6", "it belongs to max_loss", "max_loss_debug"),

            ignored("B6", "lr is the only learning rate", "text_encoder_lr", "embedding_lr", "adapter_lr",
                    "refiner_lr"),
            ignored("B6", "timestep_type decides how levels are spread", "linear_timesteps", "linear_timesteps2",
                    "next_sample_timesteps"),
            ignored("B6", "a stopped run goes on where it stopped", "start_step"),
            ignored("B6", "attention is chosen by the program", "xformers", "sdp", "attention_backend"),
            ignored("B6", "the batch size stays as written", "auto_scale_batch_size"),
            ignored("B6", "it belongs to other models", "latent_feature_extractor_path",
                    "diffusion_feature_extractor_*", "adapter_assist_*", "train_turbo", "free_u",
                    "switch_boundary_every", "bypass_guidance_embedding", "audio_loss_multiplier"),

            fixed("B6", "the guided losses are not there", "do_cfg", "do_random_cfg", "do_guidance_loss*",
                    "guidance_loss_*", "unconditional_prompt", "do_differential_guidance"),
            ignored("B6", "it belongs to guided losses", "cfg_scale", "max_cfg_scale", "cfg_rescale",
                    "differential_guidance_scale"),
            fixed("B6", "experiments with captions are not there", "prompt_saturation_chance",
                    "short_and_long_captions*", "negative_prompt", "single_item_batching", "do_prior_divergence",
                    "do_blank_stabilization", "max_negative_prompts=1"),
            fixed("B6", "the adapter is what is saved", "merge_network_on_save"),
            ignored("B6", "the adapter is what is saved", "merge_network_on_save_strength"),
            fixed("B6", "the whole adapter is trained", "do_paramiter_swapping"),
            ignored("B6", "it belongs to do_paramiter_swapping", "paramiter_swapping_factor"),
            fixed("B6", "experiments with noise, latents and loss are not there", "loss_target=noise", "pred_scaler=1",
                    "noise_offset", "noise_multiplier=1", "random_noise_multiplier", "random_noise_shift",
                    "random_noise_*", "img_multiplier=1", "latent_multiplier=1", "noisy_latent_multiplier=1",
                    "min_snr_gamma", "snr_gamma", "learnable_snr_gos", "dynamic_noise_offset",
                    "adaptive_scaling_factor", "standardize_*", "match_noise_norm", "correct_pred_norm",
                    "correct_pred_norm_multiplier=1", "target_norm_std", "target_norm_std_value=1", "weight_jitter",
                    "do_signal_*", "do_batch_noise_*", "blended_blur_noise", "force_consistent_noise",
                    "optimal_noise_pairing_samples=1", "t0_*", "do_fft_*"));

    private TrainUnused() {}
}
