package nocturne.recipe;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;

/// One block of one recipe while it is being decided: typed values by key, each with its origin, and the blocks inside.
///
/// A key that was not written has its table's default; a key without one is absent until a ruling sets it.
final class Section {
    private record Setting(Object value, Origin origin) {}

    private final Block block;
    private final String path;
    private final Position at;
    private final Map<Key<?>, Setting> settings = new HashMap<>();
    private final Map<Key<?>, Setting> dropped = new HashMap<>();
    private final Map<Key<?>, Position> written = new HashMap<>();
    private final Map<String, List<Section>> inside = new LinkedHashMap<>();
    private final Set<Key<?>> refused = new HashSet<>();

    /// @param path as messages name it, such as `datasets[0]`; empty for the root
    /// @param at   where the block was written, or the nearest place to it
    Section(Block block, String path, Position at) {
        this.block = block;
        this.path = path;
        this.at = at;
        for (Key<?> key : block.keys()) {
            key.standard().ifPresent(value -> settings.put(key, new Setting(value, new Origin.Default(key.basis()))));
        }
        for (Block inner : block.blocks()) {
            List<Section> sections = new ArrayList<>();
            if (!inner.list()) sections.add(new Section(inner, pathOf(inner.name()), at));
            inside.put(inner.name(), sections);
        }
    }

    Block block() {
        return block;
    }

    String path() {
        return path;
    }

    Position at() {
        return at;
    }

    String pathOf(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    String pathOf(Key<?> key) {
        return pathOf(key.name());
    }

    <T> T get(Key<T> key) {
        return find(key).orElseThrow(() -> new NoSuchElementException("no value for " + pathOf(key)));
    }

    @SuppressWarnings("unchecked") // set() is the only way in, and there the types agree
    <T> Optional<T> find(Key<T> key) {
        Setting setting = settings.get(key);
        return setting == null ? Optional.empty() : Optional.of((T) setting.value());
    }

    <T> void set(Key<T> key, T value, Origin origin) {
        settings.put(key, new Setting(value, origin));
        if (origin instanceof Origin.Written(int line, int column)) {
            written.putIfAbsent(key, new Position(line, column));
        }
    }

    /// Sets a value that follows from others, as the key's row says.
    <T> void derive(Key<T> key, T value) {
        set(key, value, new Origin.Derived(key.basis(), key.rule()));
    }

    /// Takes a value out of the recipe; rules may still ask for what was written.
    void drop(Key<?> key) {
        Setting setting = settings.remove(key);
        if (setting != null && setting.origin() instanceof Origin.Written) dropped.putIfAbsent(key, setting);
    }

    /// What was written, even if its meaning went over to other keys since.
    @SuppressWarnings("unchecked") // as in find()
    <T> Optional<T> former(Key<T> key) {
        if (isWritten(key)) return find(key);
        return Optional.ofNullable(dropped.get(key)).map(setting -> (T) setting.value());
    }

    /// Where it was written, even if it was dropped or replaced by a ruling since.
    Optional<Position> formerPosition(Key<?> key) {
        return Optional.ofNullable(written.get(key));
    }

    Optional<Origin> origin(Key<?> key) {
        return Optional.ofNullable(settings.get(key)).map(Setting::origin);
    }

    /// Notes that a value was written and could not be used, so that nobody calls the key missing.
    void refuse(Key<?> key) {
        refused.add(key);
    }

    /// Whether every value of this block that was written could be used.
    boolean isSound() {
        return refused.isEmpty();
    }

    /// Whether there is no value and there was no attempt at one.
    boolean isMissing(Key<?> key) {
        return find(key).isEmpty() && !refused.contains(key);
    }

    boolean isWritten(Key<?> key) {
        return origin(key).filter(Origin.Written.class::isInstance).isPresent();
    }

    /// Where the value was written, or where its block stands.
    Position position(Key<?> key) {
        Origin origin = origin(key).orElse(null);
        return origin instanceof Origin.Written(int line, int column) ? new Position(line, column) : at;
    }

    Section child(Block inner) {
        return children(inner).getFirst();
    }

    List<Section> children(Block inner) {
        List<Section> sections = inside.get(inner.name());
        if (sections == null) throw new NoSuchElementException(inner.name() + " is not inside " + block.name());
        return sections;
    }

    /// Replaces the default section of a block, or adds one to a list of blocks.
    void put(Section inner) {
        List<Section> sections = children(inner.block());
        if (!inner.block().list()) sections.clear();
        sections.add(inner);
    }
}
