package nocturne.recipe;

import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/// One rule about what somebody asks for: when it speaks, how loud, what it says, and what would be better.
///
/// Written as a constant: `Rule.<Evidence>warning("S1-63", "save.max_step_saves_to_keep").when(...).says(...)`.
///
/// @param <S>         what is judged: a recipe, one of its datasets, the pictures of a bundle
/// @param id          the row of the ledger behind it, which a recipe's `i_know` names. Several rules may have the same
/// @param severity    before `i_know`
/// @param overridable whether `i_know` lets an error pass
/// @param key         the key it is about, as seen from what is judged
/// @param speaks      whether there is something to say
/// @param message     what is said: whole sentences, read behind the key
/// @param remedy      what to do instead, a whole sentence; may be empty
public record Rule<S>(String id, Severity severity, boolean overridable, String key, Predicate<S> speaks,
                      Function<S, String> message, String remedy) {

    /// What a rule had to say.
    ///
    /// @param severity after `i_know`
    /// @param key      as seen from what was judged
    public record Verdict(String id, Severity severity, String key, String text) {}

    /// Refuses.
    public static <S> Rule<S> error(String id, String key) {
        return new Rule<>(id, Severity.ERROR, false, key, _ -> false, _ -> "", "");
    }

    public static <S> Rule<S> warning(String id, String key) {
        return new Rule<>(id, Severity.WARNING, false, key, _ -> false, _ -> "", "");
    }

    public static <S> Rule<S> notice(String id, String key) {
        return new Rule<>(id, Severity.NOTICE, false, key, _ -> false, _ -> "", "");
    }

    /// An error that a person who knows better may let pass.
    public Rule<S> butOverridable() {
        return new Rule<>(id, severity, true, key, speaks, message, remedy);
    }

    public Rule<S> when(Predicate<S> condition) {
        return new Rule<>(id, severity, overridable, key, condition, message, remedy);
    }

    public Rule<S> says(String text) {
        return says(_ -> text);
    }

    public Rule<S> says(Function<S, String> text) {
        return new Rule<>(id, severity, overridable, key, speaks, text, remedy);
    }

    public Rule<S> remedy(String sentence) {
        return new Rule<>(id, severity, overridable, key, speaks, message, sentence);
    }

    /// Whether naming its id in `i_know` changes anything.
    public boolean yieldsToKnowledge() {
        return overridable || severity == Severity.WARNING;
    }

    /// @param known the ids that the recipe's `i_know` names
    /// @return empty where there is nothing to say
    public Optional<Verdict> judge(S subject, Set<String> known) {
        if (!speaks.test(subject)) return Optional.empty();
        String said = message.apply(subject);
        String whole = remedy.isEmpty() ? said : said + " " + remedy;
        boolean knows = known.contains(id) && yieldsToKnowledge();
        return Optional.of(switch (severity) {
            case NOTICE -> new Verdict(id, Severity.NOTICE, key, whole);
            case WARNING -> knows
                    ? new Verdict(id, Severity.NOTICE, key, said + " Known, says i_know.")
                    : new Verdict(id, Severity.WARNING, key, whole);
            case ERROR -> knows
                    ? new Verdict(id, Severity.WARNING, key, said + " It would be refused; i_know lets it pass.")
                    : new Verdict(id, Severity.ERROR, key, overridable
                            ? whole + " If you know better, i_know: [%s] lets it pass.".formatted(id) : whole);
        });
    }
}
