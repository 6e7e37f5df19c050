package nocturne.recipe;

import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// All rules on recipes, and their application to one.
public final class RuleBook {
    static final List<Rule<Evidence>> ON_RECIPES = Stream.of(LearningRateRules.ALL, RankRules.ALL, LengthRules.ALL,
                    SavingRules.ALL, TimestepRules.ALL, AverageRules.ALL, QuantisationRules.ALL, CardRules.ALL,
                    TriggerRules.ALL, DatasetRules.ON_ALL, SampleRules.ON_ALL)
            .flatMap(List::stream).toList();
    static final List<Rule<Evidence.OfDataset>> ON_DATASETS = DatasetRules.ON_EACH;
    static final List<Rule<Evidence.OfPrompt>> ON_PROMPTS = SampleRules.ON_EACH;
    /// Of rules that need the pictures and captions themselves and live where these are known, `nocturne.plan`.
    private static final Set<String> ON_PICTURES = Set.of("S1-07", "S1-44-SHAPE", "S1-66-TRAINED",
            "S1-68-ALIKE", "S1-68-BLURRED", "S1-68-UNSEEN", "S1-69-MISSING", "S1-69-SHARED", "S1-69-CUT");

    /// An id that is a row and a word.
    private static final Pattern PART = Pattern.compile("^([A-Z]\\d?-\\d+)-[A-Z]+$");

    private static final Set<String> YIELDING = yielding();

    private RuleBook() {}

    /// Whether a recipe may name this id in `i_know`: there is a rule that then speaks less loudly.
    public static boolean yieldsToKnowledge(String id) {
        return !meantBy(id).isEmpty();
    }

    /// The rules that an id in `i_know` stands for: those of this id, and where it is a row of the ledger those of the
    /// row's parts, as `S1-69-CUT` is one of `S1-69`.
    static Set<String> meantBy(String id) {
        return YIELDING.stream().filter(rule -> rule.equals(id) || PART.matcher(rule).replaceFirst("$1").equals(id))
                .collect(Collectors.toUnmodifiableSet());
    }

    static List<String> yieldingIds() {
        return List.copyOf(YIELDING);
    }

    /// Where a recipe is refused anyhow, says what rules refuse as well.
    static void refuseToo(Section root, BundleFacts bundle, OptionalInt cardGib, Findings findings) {
        Recipe recipe;
        try {
            recipe = Assembly.recipe(root);
        } catch (NoSuchElementException | IllegalArgumentException undecided) {
            // What is wrong leaves no recipe that rules could look at.
            return;
        }
        apply(new Evidence(recipe, root, bundle, cardGib), findings);
    }

    static void apply(Evidence evidence, Findings findings) {
        Section root = evidence.root();
        judge(ON_RECIPES, evidence, evidence, root, findings);
        List<Section> datasets = root.children(DatasetKeys.BLOCK);
        for (int i = 0; i < datasets.size(); i++) {
            DatasetRecipe dataset = evidence.recipe().datasets().get(i);
            judge(ON_DATASETS, new Evidence.OfDataset(evidence, dataset, datasets.get(i)), evidence, datasets.get(i),
                    findings);
        }
        Section sample = root.child(SampleKeys.BLOCK);
        List<Section> items = sample.children(SampleKeys.ITEM);
        for (int i = 0; i < items.size(); i++) {
            Evidence.OfPrompt prompt =
                    new Evidence.OfPrompt(evidence, evidence.recipe().sample().prompts().get(i), items.get(i));
            for (Rule<Evidence.OfPrompt> rule : ON_PROMPTS) {
                // What a prompt inherits is said once, of the key that all inherit.
                Section place = Places.find(items.get(i), rule.key()).isPresent() ? items.get(i) : sample;
                judge(List.of(rule), prompt, evidence, place, findings);
            }
        }
    }

    private static <S> void judge(List<Rule<S>> rules, S subject, Evidence whole, Section place, Findings findings) {
        for (Rule<S> rule : rules) {
            if (!isSound(whole.root(), place, rule.key())) continue;
            rule.judge(subject, whole.recipe().known()).ifPresent(verdict -> tell(verdict, place, findings));
        }
    }

    /// Whether what a rule looks at is what was written: its own block, and what all rules may look at.
    private static boolean isSound(Section root, Section place, String key) {
        Stream<Section> shared = Stream.concat(Stream.of(root, root.child(ModelKeys.BLOCK), place),
                root.children(DatasetKeys.BLOCK).stream());
        return Stream.concat(shared, Places.blocks(place, key)).allMatch(Section::isSound);
    }

    private static void tell(Rule.Verdict verdict, Section place, Findings findings) {
        String path = place.pathOf(verdict.key());
        Optional<Position> written = Places.find(place, verdict.key());
        if (verdict.severity() == Severity.ERROR) {
            findings.refuse(written.orElse(place.at()), path, verdict.text());
        } else {
            findings.note(verdict.id(), verdict.severity(), written, path, verdict.text());
        }
    }

    private static Set<String> yielding() {
        Set<String> ids = new TreeSet<>(ON_PICTURES);
        Stream.of(ON_RECIPES, ON_DATASETS, ON_PROMPTS).flatMap(List::stream)
                .filter(Rule::yieldsToKnowledge).map(Rule::id).forEach(ids::add);
        return ids;
    }
}
