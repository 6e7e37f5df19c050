package nocturne.plan;

import java.util.ArrayList;
import java.util.List;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.recipe.DatasetRecipe;
import nocturne.recipe.ProbeRecipe;
import nocturne.recipe.Recipe;
import nocturne.recipe.SamplePrompt;
import nocturne.recipe.SampleRecipe;

/// What one job may ask for. A person at a terminal may ask for anything; a service that takes bundles from many people
/// says where its patience ends, before anything is spent. How long a job may run is not in its recipe, and is the
/// business of whoever starts it.
///
/// @param steps       optimizer updates
/// @param pictures    different pictures, those kept out of training included
/// @param pixels      of one picture, trained or drawn
/// @param checkpoints numbered adapters that are kept at the same time
/// @param samples     pictures drawn along the way, all prompts at all steps
public record Limits(long steps, long pictures, long pixels, long checkpoints, long samples) {
    /// No limit.
    public static final Limits NONE =
            new Limits(Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE);
    /// Far beyond what a LoRA needs, and still bounded: the longest recipes seen have 20,000 steps, 2,000 pictures of
    /// 1328 x 1328, some 50 checkpoints and 8 prompts at each of them.
    public static final Limits STANDARD = new Limits(200_000, 20_000, 2048 * 2048, 200, 5_000);

    public Limits {
        if (steps < 1 || pictures < 1 || pixels < 1 || checkpoints < 1 || samples < 0) {
            throw new IllegalArgumentException(
                    "%d %d %d %d %d".formatted(steps, pictures, pixels, checkpoints, samples));
        }
    }

    /// @throws UserMistake with everything that is beyond these limits: `LIMIT_STEPS`, `LIMIT_PICTURES`,
    ///     `LIMIT_PIXELS`, `LIMIT_CHECKPOINTS`, `LIMIT_SAMPLES`
    void check(Inspection asked) {
        Recipe recipe = asked.resolved().recipe();
        List<Problem> problems = new ArrayList<>();
        check("LIMIT_STEPS", "train.steps", recipe.train().steps(), steps, "steps", problems);
        long held = asked.heldOut() == null ? 0 : asked.heldOut().pictures();
        check("LIMIT_PICTURES", "datasets", asked.training().pictures() + held, pictures, "pictures", problems);
        for (int i = 0; i < recipe.datasets().size(); i++) {
            DatasetRecipe dataset = recipe.datasets().get(i);
            long side = dataset.resolutions().stream().mapToLong(Integer::longValue).max().orElse(0);
            check("LIMIT_PIXELS", "datasets[%d].resolution".formatted(i), side * side, pixels, "pixels a picture",
                    problems);
        }
        List<SamplePrompt> prompts = recipe.sample().prompts();
        ProbeRecipe probe = recipe.probe();
        if (probe != null) {
            check("LIMIT_PIXELS", "probe", (long) probe.prompt().width() * probe.prompt().height(), pixels,
                    "pixels a picture", problems);
            check("LIMIT_SAMPLES", "probe", probe.shots().size(), samples, "pictures at the end", problems);
        }
        for (int i = 0; i < prompts.size(); i++) {
            check("LIMIT_PIXELS", "sample.prompts[%d]".formatted(i),
                    (long) prompts.get(i).width() * prompts.get(i).height(), pixels, "pixels a picture", problems);
        }
        long saved = Math.ceilDiv(recipe.train().steps(), recipe.save().everySteps());
        check("LIMIT_CHECKPOINTS", "save.max_step_saves_to_keep", Math.min(saved, recipe.save().keep()), checkpoints,
                "checkpoints kept", problems);
        check("LIMIT_SAMPLES", "sample.sample_every", samplings(recipe) * prompts.size(), samples, "sample pictures",
                problems);
        if (problems.isEmpty()) return;
        throw new UserMistake("The bundle asks for more than is allowed here; no training time was spent.", problems);
    }

    /// How often samples are drawn, at most.
    private static long samplings(Recipe recipe) {
        SampleRecipe sample = recipe.sample();
        if (sample.everySteps() == 0) return 0;
        // Before the first step, after the last, and in between.
        return 2L + recipe.train().steps() / sample.everySteps();
    }

    private static void check(String code, String where, long asked, long allowed, String what,
            List<Problem> problems) {
        if (asked <= allowed) return;
        problems.add(new Problem(code, where, "%,d %s; at most %,d are allowed here.".formatted(asked, what, allowed)));
    }
}
