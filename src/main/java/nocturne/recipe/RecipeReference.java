package nocturne.recipe;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The key tables as a page for people: every key with what it takes, its default, its meaning, why, and values that
/// work.
public final class RecipeReference {
    private static final String HEAD = """
            # The recipe, key by key

            This page is made from the tables that read recipes: `./nocturne recipe reference > docs/recipe.md`. What it
            says is what the program does.

            **No recipe is needed.** A bundle of pictures trains with the defaults below. This is one, too:

            ```yaml
            trigger: ohwx
            ```

            Write only what you want to be different. `recipe.resolved.yaml` in the outbox shows every value of a job,
            and where it came from; it is itself a recipe.

            AI-Toolkit's files are read as they are: `job`, `config`, `process`, and below them the blocks of this page.
            YAML, JSON and JSONC are read; `1e-4`, `1.0e-4` and `"1e-4"` are the same number. `[trigger]` and `[name]`
            in captions, prompts and notes stand for the trigger word and the job's name. A key that nobody knows is an
            error that names the nearest one; a key of another tool that does nothing here is accepted and named in a
            notice.

            Editors complete and check recipes with [recipe.schema.json](recipe.schema.json), for instance by this
            first line, with the file's place:

            ```yaml
            # yaml-language-server: $schema=recipe.schema.json
            ```

            Ids such as `X-01` are rows of [the ledger](ledger.md) of demands.
            """;

    private final StringBuilder page = new StringBuilder(HEAD);

    private RecipeReference() {}

    /// The page as Markdown.
    public static String markdown() {
        RecipeReference reference = new RecipeReference();
        reference.add(RootKeys.ROOT, "");
        return reference.page.toString();
    }

    private void add(Block block, String path) {
        line("");
        line("## " + (path.isEmpty() ? "At the top" : "`" + path + "`"));
        for (Key<?> key : block.keys()) addKey(key, path);
        addUnused(block.unused());
        for (Block inner : block.blocks()) {
            add(inner, (path.isEmpty() ? "" : path + ".") + inner.name() + (inner.list() ? "[]" : ""));
        }
    }

    private <T> void addKey(Key<T> key, String path) {
        line("");
        line("### `" + (path.isEmpty() ? "" : path + ".") + key.name() + "`");
        line("");
        line(escaped(key.meaning()));
        line(escaped(key.why()));
        line("");
        line("- Takes " + escaped(key.kind().expects()) + ".");
        line("- Default: " + defaultOf(key));
        List<T> working = key.working();
        if (!working.isEmpty()) {
            line("- Works: " + working.stream().map(value -> code(key.kind().print(value)))
                    .collect(Collectors.joining(", ")));
        }
        List<String> others = key.names().stream().filter(name -> !name.equals(key.name())).toList();
        if (!others.isEmpty()) {
            line("- Also written " + others.stream()
                    .map(name -> code(name) + (key.isBorrowed(name) ? " (with a notice)" : ""))
                    .collect(Collectors.joining(", ")));
        }
    }

    private static <T> String defaultOf(Key<T> key) {
        List<String> parts = new ArrayList<>();
        key.standard().ifPresent(value -> parts.add(code(key.kind().print(value))));
        if (!key.rule().isEmpty()) parts.add(escaped(key.rule()));
        if (parts.isEmpty()) return "none";
        return String.join("; ", parts) + (key.basis().isEmpty() ? "" : " (" + escaped(key.basis()) + ")");
    }

    private void addUnused(List<Unused> rows) {
        if (rows.isEmpty()) return;
        line("");
        line("Known from other tools, and without effect here:");
        line("");
        line("| keys | what happens | why |");
        line("|---|---|---|");
        for (Unused row : rows) {
            line("| %s | %s | %s (%s) |".formatted(row.names().stream().map(RecipeReference::shown)
                    .collect(Collectors.joining(", ")), happens(row), escaped(row.why()), row.ledger()));
        }
    }

    private static String shown(String spec) {
        String allowed = Unused.value(spec);
        return code(Unused.name(spec)) + (allowed.isEmpty() ? "" : Stream.of(allowed.split("\\|"))
                .map(RecipeReference::code).collect(Collectors.joining(" or ", " (", ")")));
    }

    private static String happens(Unused row) {
        return switch (row) {
            case Unused.Ignored _ -> "accepted with a notice";
            case Unused.Fixed _ -> "accepted when off, or at the value shown; else an error";
            case Unused.Refused _ -> "an error";
        };
    }

    private static String code(String text) {
        return text.contains("`") ? "`` " + text + " ``" : "`" + text + "`";
    }

    /// As text of a Markdown page, inside tables too.
    private static String escaped(String text) {
        return text.replaceAll("([\\\\|*<\\[])", "\\\\$1");
    }

    private void line(String text) {
        page.append(text).append('\n');
    }
}
