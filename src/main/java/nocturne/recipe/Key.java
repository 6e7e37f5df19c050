package nocturne.recipe;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// One key of the recipe that the engine uses. Its row in a key table is the only place that knows its names, kind,
/// bounds, default and meaning.
///
/// A key with neither default nor rule is empty unless written. Identity is equality: each key exists once.
final class Key<T> {
    /// @param standard null where there is none
    /// @param basis    the ledger's row behind it, or the reason in a few words
    /// @param rule     what it follows from, in words; empty if from nothing
    private record Default<T>(@Nullable T standard, String basis, String rule) {}

    /// What people read.
    ///
    /// @param working values that are known to work
    private record Words<T>(String meaning, String why, String advice, List<T> working) {}

    private final String name;
    private final Kind<T> kind;
    private final List<String> aliases;
    private final List<String> borrowed;
    private final Default<T> otherwise;
    private final Words<T> words;
    private final boolean passing;

    private Key(String name, Kind<T> kind, List<String> aliases, List<String> borrowed, Default<T> otherwise,
                Words<T> words, boolean passing) {
        this.name = name;
        this.kind = kind;
        this.aliases = aliases;
        this.borrowed = borrowed;
        this.otherwise = otherwise;
        this.words = words;
        this.passing = passing;
    }

    /// @param meaning what the key does, for people who never saw it
    static <T> Key<T> of(String name, Kind<T> kind, String meaning) {
        return new Key<>(name, kind, List.of(), List.of(), new Default<>(null, "", ""),
                new Words<>(meaning, "", "", List.of()), false);
    }

    /// Another name for the same thing.
    Key<T> or(String... names) {
        return new Key<>(name, kind, plus(aliases, names), borrowed, otherwise, words, passing);
    }

    /// A name other tools ignore or read differently: accepted, with a notice that says how it is understood.
    Key<T> borrowing(String... names) {
        return new Key<>(name, kind, aliases, plus(borrowed, names), otherwise, words, passing);
    }

    /// @param basis the ledger's row behind the default, or the reason in a few words
    Key<T> standard(T value, String basis) {
        return with(new Default<>(value, basis, otherwise.rule()));
    }

    /// The default follows from other values, by `Rulings`.
    ///
    /// @param rule in words, such as `= linear`
    Key<T> follows(String rule, String basis) {
        return with(new Default<>(otherwise.standard(), basis, rule));
    }

    /// A sentence for the message when the value is wrong.
    Key<T> advice(String sentence) {
        return with(new Words<>(words.meaning(), words.why(), sentence, words.working()));
    }

    /// Why one would use it, or why its default is what it is: for whoever is overwhelmed by options (S1-03).
    Key<T> why(String sentences) {
        return with(new Words<>(words.meaning(), sentences, words.advice(), words.working()));
    }

    /// Values that are known to work, as examples.
    @SafeVarargs
    @SuppressWarnings("varargs") // List.of copies them
    final Key<T> works(T... values) {
        return with(new Words<>(words.meaning(), words.why(), words.advice(), List.of(values)));
    }

    private Key<T> with(Default<T> another) {
        return new Key<>(name, kind, aliases, borrowed, another, words, passing);
    }

    private Key<T> with(Words<T> others) {
        return new Key<>(name, kind, aliases, borrowed, otherwise, others, passing);
    }

    /// Its meaning is taken over by other keys, by `Rulings`; the resolved recipe no longer has it.
    Key<T> passing() {
        return new Key<>(name, kind, aliases, borrowed, otherwise, words, true);
    }

    String name() {
        return name;
    }

    Kind<T> kind() {
        return kind;
    }

    String meaning() {
        return words.meaning();
    }

    String advice() {
        return words.advice();
    }

    String why() {
        return words.why();
    }

    List<T> working() {
        return words.working();
    }

    String basis() {
        return otherwise.basis();
    }

    String rule() {
        return otherwise.rule();
    }

    boolean isPassing() {
        return passing;
    }

    Optional<T> standard() {
        return Optional.ofNullable(otherwise.standard());
    }

    /// Every name a recipe may use, ours first.
    List<String> names() {
        List<String> names = new ArrayList<>(List.of(name));
        names.addAll(aliases);
        names.addAll(borrowed);
        return names;
    }

    boolean isBorrowed(String written) {
        return borrowed.contains(written);
    }

    @Override
    public String toString() {
        return name;
    }

    private static List<String> plus(List<String> names, String... more) {
        List<String> all = new ArrayList<>(names);
        all.addAll(List.of(more));
        return List.copyOf(all);
    }

    // The kinds, in the words the tables use.

    /// No brackets: `[trigger]` inside a trigger word would never end.
    static final Kind.Text TRIGGER = new Kind.Text("a word or a few without brackets, at most 100 characters", 100,
            Pattern.compile("[^\\[\\]\\n\\t]+"));

    static Kind<Boolean> flag() {
        return new Kind.Flag();
    }

    static Kind<Integer> whole(int least, int most) {
        return new Kind.Whole(least, most, 1);
    }

    static Kind<Integer> multipleOf(int unit, int least, int most) {
        return new Kind.Whole(least, most, unit);
    }

    static Kind<Double> number(double least, double most) {
        return new Kind.Real(least, most, false);
    }

    static Kind<Double> numberAbove(double least, double most) {
        return new Kind.Real(least, most, true);
    }

    static Kind<String> text(int most) {
        return new Kind.Text("text of 1 to %d characters".formatted(most), most, Pattern.compile("(?s).+"));
    }

    /// Text on one line.
    static Kind<String> line(int most) {
        return new Kind.Text("text of 1 to %d characters, on one line".formatted(most), most,
                Pattern.compile("[^\\n\\t]+"));
    }

    static Kind<String> textOrEmpty(int most) {
        return new Kind.Text("text of at most %d characters".formatted(most), most, Pattern.compile("(?s).*"));
    }

    static Kind<String> textLike(String expects, String pattern) {
        return new Kind.Text(expects, 200, Pattern.compile(pattern));
    }

    static Kind<String> path() {
        return new Kind.BundlePath();
    }

    static Kind<String> modelPlace() {
        return new Kind.ModelPlace();
    }

    static <E extends Enum<E> & Spelled> Kind<E> choice(Class<E> type) {
        return new Kind.Choice<>(type);
    }

    static <T> Kind<List<T>> some(Kind<T> item, int least, int most) {
        return new Kind.ListOf<>(item, least, most);
    }

    static <T> Kind<List<T>> exactly(int count, Kind<T> item) {
        return new Kind.ListOf<>(item, count, count);
    }
}
