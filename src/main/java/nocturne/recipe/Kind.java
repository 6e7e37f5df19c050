package nocturne.recipe;

import java.math.BigDecimal;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import nocturne.quant.WeightType;

/// What the value of a key may be: how it is read, described to a person, and printed.
///
/// `print` and `read` are inverse: reading the printed text gives an equal value.
sealed interface Kind<T> {
    /// What is accepted, as the middle of a sentence: `a whole number from 1 to 512`.
    String expects();

    /// Reads a node or tells `findings` why it cannot.
    ///
    /// @param path   the key, as messages name it
    /// @param advice a further sentence for the message, possibly empty
    Optional<T> read(Node node, String path, String advice, Findings findings);

    /// The value as one line of YAML.
    String print(T value);

    /// A kind that is written as one scalar.
    sealed interface Simple<T> extends Kind<T> {
        /// Empty if the text is no such value.
        Optional<T> parse(String text);

        /// Why a value that is right in itself cannot be used on this machine; empty if it can.
        default Optional<String> objection(T value) {
            return Optional.empty();
        }

        /// The closest value that would be right, where there is a clear one.
        default Optional<String> nearest(String text) {
            return Optional.empty();
        }

        @Override
        default Optional<T> read(Node node, String path, String advice, Findings findings) {
            String text = node instanceof Node.Scalar scalar ? scalar.text() : null;
            Optional<T> value = text == null ? Optional.empty() : parse(text);
            if (value.isEmpty()) {
                Optional<String> nearest = text == null ? Optional.empty() : nearest(text);
                String more = nearest.map("The nearest is %s."::formatted).orElse(advice);
                findings.refuse(node.at(), path, "%s is not allowed; %s.%s".formatted(node.shown(), expects(),
                        more.isEmpty() ? "" : " " + more));
                return value;
            }
            Optional<String> objection = objection(value.get());
            objection.ifPresent(why -> findings.refuse(node.at(), path, "%s %s".formatted(node.shown(), why)));
            return objection.isPresent() ? Optional.empty() : value;
        }
    }

    /// `true` or `false`; YAML's `yes`, `no`, `on`, `off` mean the same.
    record Flag() implements Simple<Boolean> {
        @Override
        public String expects() {
            return "true or false";
        }

        @Override
        public Optional<Boolean> parse(String text) {
            return switch (text.strip().toLowerCase(Locale.ROOT)) {
                case "true", "yes", "on" -> Optional.of(true);
                case "false", "no", "off" -> Optional.of(false);
                default -> Optional.empty();
            };
        }

        @Override
        public String print(Boolean value) {
            return value.toString();
        }
    }

    /// @param multipleOf 1 for any
    record Whole(int least, int most, int multipleOf) implements Simple<Integer> {
        @Override
        public String expects() {
            return multipleOf == 1 ? "a whole number from %d to %d".formatted(least, most)
                    : "a multiple of %d from %d to %d".formatted(multipleOf, least, most);
        }

        @Override
        public Optional<Integer> parse(String text) {
            return whole(text, least, most).map(Long::intValue).filter(value -> value % multipleOf == 0);
        }

        @Override
        public Optional<String> nearest(String text) {
            if (multipleOf == 1) return Optional.empty();
            return whole(text, least, most).map(value -> {
                long units = Math.clamp(Math.round(value / (double) multipleOf), 1, most / multipleOf);
                return Long.toString(units * multipleOf);
            });
        }

        @Override
        public String print(Integer value) {
            return value.toString();
        }
    }

    /// The start of a stream of random numbers: `0 .. 2^53 - 1`, so that every JSON reader keeps it exact.
    record Seed() implements Simple<Long> {
        static final long MOST = (1L << 53) - 1;

        @Override
        public String expects() {
            return "a whole number from 0 to " + MOST;
        }

        @Override
        public Optional<Long> parse(String text) {
            return whole(text, 0, MOST);
        }

        @Override
        public String print(Long value) {
            return value.toString();
        }
    }

    /// @param open whether `least` itself is excluded
    record Real(double least, double most, boolean open) implements Simple<Double> {
        @Override
        public String expects() {
            return "a number %s %s to %s".formatted(open ? "above" : "from", Numbers.print(least), Numbers.print(most));
        }

        @Override
        public Optional<Double> parse(String text) {
            return Numbers.parse(text).map(BigDecimal::doubleValue)
                    .filter(value -> (open ? value > least : value >= least) && value <= most);
        }

        @Override
        public String print(Double value) {
            return Numbers.print(value);
        }
    }

    /// Text without control characters; blanks around it are dropped.
    ///
    /// @param form what the text must match
    record Text(String expects, int mostCharacters, Pattern form) implements Simple<String> {
        @Override
        public Optional<String> parse(String text) {
            String stripped = text.strip();
            boolean fits = stripped.length() <= mostCharacters && form.matcher(stripped).matches()
                    && stripped.codePoints().allMatch(c -> c == '\n' || c == '\t' || Shown.isPrintable(c));
            return fits ? Optional.of(stripped) : Optional.empty();
        }

        @Override
        public String print(String value) {
            return Quoted.text(value);
        }
    }

    /// A file or folder of the bundle, relative to its root, written with `/`; `.` is the root.
    ///
    /// A recipe comes from outside, so nothing may lead out of the bundle: no absolute path, no drive, no `..`.
    record BundlePath() implements Simple<String> {
        private static final int MOST_CHARACTERS = 1000;

        @Override
        public String expects() {
            return "a path inside the bundle, such as dataset/10_ohwx, without .. and without a leading /";
        }

        @Override
        public Optional<String> parse(String text) {
            String path = text.strip().replace('\\', '/');
            if (path.isEmpty() || path.length() > MOST_CHARACTERS || path.startsWith("/") || path.startsWith("~")
                    || path.contains(":") || !path.codePoints().allMatch(Shown::isPrintable)) {
                return Optional.empty();
            }
            List<String> names =
                    Stream.of(path.split("/")).filter(name -> !name.isEmpty() && !name.equals(".")).toList();
            boolean inside = names.stream().allMatch(name -> !name.equals("..") && name.equals(name.strip()));
            if (!inside) return Optional.empty();
            return Optional.of(names.isEmpty() ? "." : String.join("/", names));
        }

        @Override
        public Optional<String> objection(String path) {
            return noPath(path);
        }

        @Override
        public String print(String value) {
            return Quoted.text(value);
        }
    }

    /// A model's name, or the path of its folder. Whoever looks for it says which folders may be meant.
    record ModelPlace() implements Simple<String> {
        private static final Text LINE = new Text("", 1000, Pattern.compile("[^\\n\\t]+"));

        @Override
        public String expects() {
            return "a model's name such as Qwen/Qwen-Image, or the path of its folder, at most 1000 characters";
        }

        @Override
        public Optional<String> parse(String text) {
            return LINE.parse(text);
        }

        @Override
        public Optional<String> objection(String path) {
            return noPath(path);
        }

        @Override
        public String print(String value) {
            return Quoted.text(value);
        }
    }

    /// An amount of memory, in bytes, written as `24GB` or `22.5GiB`.
    record MemoryBytes() implements Simple<Long> {
        /// Of a gigabyte: as many as tell every byte.
        private static final int DECIMALS = 9;

        @Override
        public String expects() {
            return "a size such as 24GB or 22.5GiB";
        }

        @Override
        public Optional<Long> parse(String text) {
            return MemorySize.parse(text.strip(), DECIMALS);
        }

        @Override
        public String print(Long value) {
            return MemorySize.print(value);
        }
    }

    /// One of a few words.
    record Choice<E extends Enum<E> & Spelled>(Class<E> type) implements Simple<E> {
        Stream<E> constants() {
            return Stream.of(type.getEnumConstants());
        }

        @Override
        public String expects() {
            return constants().map(Spelled::spelling)
                    .collect(Collectors.joining(", ", "one of ", ""));
        }

        @Override
        public Optional<E> parse(String text) {
            String word = bare(text);
            return constants()
                    .filter(choice -> choice.allSpellings().stream().anyMatch(name -> bare(name).equals(word)))
                    .findFirst();
        }

        @Override
        public String print(E value) {
            return Quoted.text(value.spelling());
        }

        private static String bare(String text) {
            return text.strip().toLowerCase(Locale.ROOT).replaceAll("[_\\- ]", "");
        }
    }

    /// The number format of frozen weights, and after a `|` the adapter that recovers what it loses.
    record WeightFormatText() implements Simple<WeightFormat> {
        @Override
        public String expects() {
            return "one of %s, then perhaps |path of an accuracy recovery adapter"
                    .formatted(Stream.of(WeightType.values()).map(WeightType::spelling)
                            .collect(Collectors.joining(", ")));
        }

        @Override
        public Optional<WeightFormat> parse(String text) {
            return WeightFormat.parse(text);
        }

        @Override
        public String print(WeightFormat value) {
            return Quoted.text(value.toString());
        }
    }

    /// Several of a kind. One written without brackets is a list of one.
    record ListOf<T>(Kind<T> item, int least, int most) implements Kind<List<T>> {
        @Override
        public String expects() {
            return least == most ? "a list of %d, each %s".formatted(most, item.expects())
                    : "%s, or a list of these".formatted(item.expects());
        }

        @Override
        public Optional<List<T>> read(Node node, String path, String advice, Findings findings) {
            List<Node> nodes = node instanceof Node.Sequence sequence ? sequence.items() : List.of(node);
            if (nodes.size() < least || nodes.size() > most) {
                findings.refuse(node.at(), path, "a list of %d is not allowed; %s.".formatted(nodes.size(), expects()));
                return Optional.empty();
            }
            List<T> values = new ArrayList<>();
            for (int i = 0; i < nodes.size(); i++) {
                String itemPath = node instanceof Node.Sequence ? path + "[" + i + "]" : path;
                item.read(nodes.get(i), itemPath, advice, findings).ifPresent(values::add);
            }
            return values.size() == nodes.size() ? Optional.of(List.copyOf(values)) : Optional.empty();
        }

        @Override
        public String print(List<T> value) {
            return value.stream().map(item::print).collect(Collectors.joining(", ", "[", "]"));
        }
    }

    /// A value that keeps its place, for messages about one of many.
    record Placed<T>(Kind<T> item) implements Kind<Placed.Value<T>> {
        record Value<T>(T value, Position at) {}

        @Override
        public String expects() {
            return item.expects();
        }

        @Override
        public Optional<Value<T>> read(Node node, String path, String advice, Findings findings) {
            return item.read(node, path, advice, findings).map(value -> new Value<>(value, node.at()));
        }

        @Override
        public String print(Value<T> value) {
            return item.print(value.value());
        }
    }

    /// Free notes: names and texts that go into the files' metadata unread.
    record Notes() implements Kind<Metadata> {
        @Override
        public String expects() {
            return "a block of names and texts";
        }

        @Override
        public Optional<Metadata> read(Node node, String path, String advice, Findings findings) {
            return Metadata.read(node, path, findings);
        }

        @Override
        public String print(Metadata value) {
            return value.entries().entrySet().stream()
                    .map(entry -> Quoted.always(entry.getKey()) + ": " + Quoted.always(entry.getValue()))
                    .collect(Collectors.joining(", ", "{", "}"));
        }
    }

    /// Printable text is a path everywhere but where Java knows no letters beyond ASCII.
    private static Optional<String> noPath(String text) {
        try {
            var _ = Path.of(text);
            return Optional.empty();
        } catch (InvalidPathException e) {
            return Optional.of("cannot be the name of a file here. If it has letters beyond ASCII, start Nocturne with"
                    + " LC_ALL=C.UTF-8.");
        }
    }

    private static Optional<Long> whole(String text, long least, long most) {
        return Numbers.parse(text)
                .filter(value -> value.compareTo(BigDecimal.valueOf(least)) >= 0
                        && value.compareTo(BigDecimal.valueOf(most)) <= 0
                        && value.stripTrailingZeros().scale() <= 0)
                .map(BigDecimal::longValueExact);
    }
}
