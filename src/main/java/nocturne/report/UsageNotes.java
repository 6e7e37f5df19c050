package nocturne.report;

import static nocturne.report.Html.escaped;

import java.util.Optional;
import nocturne.report.RunSummary.Recommendation;

/// How to use the file in the programs people draw with, and the traps they fall into.
///
/// Facts about the readers: ComfyUI names its sampler `euler` and its schedule `simple`; diffusers loads the
/// `diffusion_model.` keys through its converter; alpha is folded into the weights, so strength 1 is as trained in
/// both.
final class UsageNotes {
    private UsageNotes() {}

    static String html(RunSummary run, Optional<Recommendation> recommended) {
        if (recommended.isEmpty()) return "";
        String file = recommended.get().checkpoint().file();
        String prompt = run.prompts().isEmpty() ? run.trigger() : run.prompts().getFirst();
        return """
                <h2>How to use it</h2>
                <p>It fits the model it was trained on, %s, and its close relatives.%s Start at strength 1 and go down
                to 0.6 if it dominates the picture; guidance (CFG) 3.0 to 4.0, 3.5 to begin with; 28 steps.</p>
                <p><strong>ComfyUI.</strong> Copy <code>%s</code> into <code>models/loras/</code> and put a
                <em>LoraLoaderModelOnly</em> node between the model loader and the sampler. In the sampler choose
                <code>euler</code> and the scheduler <code>simple</code> ("flowmatch" is not a sampler name there), and
                leave the model's shift as it is.</p>
                <p><strong>diffusers.</strong></p>
                <pre><code>%s</code></pre>
                <ul>
                <li>An edit model also wants the picture to edit: <code>pipe(image=..., prompt=...)</code>.</li>
                <li>Merging into an 8-bit base rounds small changes away: merge into a bf16 base, or apply the adapter
                on the fly.</li>
                <li>4-bit runtimes (Nunchaku) may drop the modulation layers, and with them a part of what was
                learned.</li>
                </ul>
                """.formatted(escaped(run.baseModel()), trigger(run), escaped(file),
                escaped(diffusers(run.baseModel(), file, prompt)));
    }

    private static String trigger(RunSummary run) {
        return run.trigger().isEmpty() ? ""
                : " Write <code>" + escaped(run.trigger()) + "</code> in the prompt to call the concept.";
    }

    private static String diffusers(String baseModel, String file, String prompt) {
        return """
                import torch
                from diffusers import DiffusionPipeline

                pipe = DiffusionPipeline.from_pretrained(%s, torch_dtype=torch.bfloat16).to("cuda")
                pipe.load_lora_weights(".", weight_name=%s, adapter_name="trained")
                pipe.set_adapters("trained", 1.0)
                image = pipe(%s, negative_prompt=" ", true_cfg_scale=3.5, num_inference_steps=28).images[0]
                image.save("picture.png")""".formatted(python(baseModel), python(file), python(prompt));
    }

    /// A Python string literal.
    private static String python(String text) {
        StringBuilder literal = new StringBuilder("\"");
        text.codePoints().forEach(point -> {
            switch (point) {
                case '"' -> literal.append("\\\"");
                case '\\' -> literal.append("\\\\");
                case '\n' -> literal.append("\\n");
                case '\r' -> literal.append("\\r");
                case '\t' -> literal.append("\\t");
                default -> literal.appendCodePoint(point);
            }
        });
        return literal.append('"').toString();
    }
}
