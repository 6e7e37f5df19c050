package nocturne.recipe;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A block of the recipe and everything that may stand in it.
///
/// @param name   its key; empty for the root
/// @param list   whether it is a list of such blocks, as `datasets` is
/// @param keys   what the engine uses, in the order the resolved recipe prints it
/// @param blocks the blocks inside
/// @param unused what it knows and does not use
record Block(String name, boolean list, List<Key<?>> keys, List<Block> blocks, List<Unused> unused) {
    Block {
        keys = List.copyOf(keys);
        blocks = List.copyOf(blocks);
        unused = List.copyOf(unused);
    }

    static Block of(String name, List<Key<?>> keys, List<Block> blocks, List<Unused> unused) {
        return new Block(name, false, keys, blocks, unused);
    }

    static Block listOf(String name, List<Key<?>> keys, List<Block> blocks, List<Unused> unused) {
        return new Block(name, true, keys, blocks, unused);
    }

    Optional<Key<?>> key(String written) {
        for (Key<?> key : keys) if (key.names().contains(written)) return Optional.of(key);
        return Optional.empty();
    }

    Optional<Block> block(String written) {
        return blocks.stream().filter(block -> block.name().equals(written)).findFirst();
    }

    /// The row about a key, and the row's own spelling of it; exact names win over those with a `*`.
    Optional<UnusedKey> unused(String written) {
        UnusedKey wide = null;
        for (Unused row : unused) {
            for (String name : row.names()) {
                if (!Unused.covers(name, written)) continue;
                if (!Unused.name(name).endsWith("*")) return Optional.of(new UnusedKey(row, name));
                if (wide == null) wide = new UnusedKey(row, name);
            }
        }
        return Optional.ofNullable(wide);
    }

    record UnusedKey(Unused row, String spec) {}

    boolean knows(String written) {
        return key(written).isPresent() || block(written).isPresent() || unused(written).isPresent();
    }

    /// Every name that may stand in this block, for suggestions.
    List<String> names() {
        List<String> names = new ArrayList<>();
        for (Key<?> key : keys) names.addAll(key.names());
        for (Block block : blocks) names.add(block.name());
        for (Unused row : unused) for (String name : row.names()) names.add(Unused.name(name).replace("*", ""));
        return names;
    }
}
