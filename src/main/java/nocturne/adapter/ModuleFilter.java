package nocturne.adapter;

import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/// Which layers get an adapter: those whose name contains one of some words, and none of some others.
///
/// As in ai-toolkit, the words are looked for in the name with `transformer.` before it, so that recipes which spell
/// the prefix out keep working: `transformer.transformer_blocks.7.` picks block 7.
///
/// @param onlyIfContains   a name must contain one of these; empty lets every name pass
/// @param ignoreIfContains a name must contain none of these; they win over the others
public record ModuleFilter(List<String> onlyIfContains, List<String> ignoreIfContains) {
    /// Lets every layer pass.
    public static final ModuleFilter ALL = new ModuleFilter(List.of(), List.of());

    public ModuleFilter {
        onlyIfContains = List.copyOf(onlyIfContains);
        ignoreIfContains = List.copyOf(ignoreIfContains);
    }

    public boolean accepts(String module) {
        String name = searched(module);
        return (onlyIfContains.isEmpty() || onlyIfContains.stream().anyMatch(name::contains))
                && ignoreIfContains.stream().noneMatch(name::contains);
    }

    /// The words that no name contains: most likely misspelt, and worth telling.
    public List<String> wordsWithoutMatch(Collection<String> modules) {
        return Stream.concat(onlyIfContains.stream(), ignoreIfContains.stream())
                .filter(word -> modules.stream().noneMatch(module -> searched(module).contains(word)))
                .toList();
    }

    private static String searched(String module) {
        return "transformer." + module;
    }
}
