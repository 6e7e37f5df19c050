package nocturne.recipe;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Reads a tree by the key tables: what the tables know becomes a [Section], everything else a problem or a notice.
final class SectionReader {
    private final Block root;
    private final Findings findings;

    SectionReader(Block root, Findings findings) {
        this.root = root;
        this.findings = findings;
    }

    Section read(Node.Mapping mapping) {
        return read(root, mapping, "");
    }

    private Section read(Block block, Node.Mapping mapping, String path) {
        Section section = new Section(block, path, mapping.at());
        Map<Key<?>, Node.Entry> written = new HashMap<>();
        for (Node.Entry entry : mapping.entries()) {
            String entryPath = section.pathOf(Shown.key(entry.key()));
            Optional<Key<?>> key = block.key(entry.key());
            Optional<Block> inner = block.block(entry.key());
            Optional<Block.UnusedKey> unused = block.unused(entry.key());
            if (key.isPresent()) {
                readKey(section, key.get(), entry, entryPath, written);
            } else if (inner.isPresent()) {
                readBlock(section, inner.get(), entry, entryPath);
            } else if (unused.isPresent()) {
                Unused.judge(unused.get().row(), unused.get().spec(), entry, entryPath, findings);
            } else {
                findings.refuse(entry.at(), entryPath, unknown(block, entry.key()));
            }
        }
        return section;
    }

    private <T> void readKey(Section section, Key<T> key, Node.Entry entry, String path,
                             Map<Key<?>, Node.Entry> written) {
        if (entry.value().isNull()) return;
        Optional<T> read = key.kind().read(entry.value(), path, key.advice(), findings);
        if (read.isEmpty()) {
            section.refuse(key);
            return;
        }
        T value = read.get();
        Node.Entry earlier = written.putIfAbsent(key, entry);
        if (earlier != null) {
            if (!value.equals(section.get(key))) {
                findings.refuse(entry.at(), path, "%s disagrees with %s in line %d; keep one.".formatted(
                        Shown.value(key.kind().print(value)), Shown.value(key.kind().print(section.get(key))),
                        earlier.at().line()));
            }
            return;
        }
        if (key.isBorrowed(entry.key())) {
            findings.note("B9", entry.at(), path, "is read as %s.".formatted(section.pathOf(key)));
        }
        Position at = entry.value().at();
        section.set(key, value, new Origin.Written(at.line(), at.column()));
    }

    private void readBlock(Section section, Block inner, Node.Entry entry, String path) {
        if (entry.value().isNull()) return;
        if (!inner.list()) {
            if (entry.value() instanceof Node.Mapping mapping) {
                section.put(read(inner, mapping, path));
            } else {
                findings.refuse(entry.value().at(), path, "%s is not allowed; a block of keys."
                        .formatted(entry.value().shown()));
            }
            return;
        }
        if (!(entry.value() instanceof Node.Sequence sequence)) {
            findings.refuse(entry.value().at(), path, "%s is not allowed; a list, each item beginning with a dash."
                    .formatted(entry.value().shown()));
            return;
        }
        for (int i = 0; i < sequence.items().size(); i++) {
            String itemPath = path + "[" + i + "]";
            Node item = sequence.items().get(i);
            if (item instanceof Node.Mapping mapping) {
                section.put(read(inner, mapping, itemPath));
            } else {
                findings.refuse(item.at(), itemPath, "%s is not allowed; a block of keys.".formatted(item.shown()));
            }
        }
    }

    private String unknown(Block block, String written) {
        String here = block.name().isEmpty() ? "a recipe" : block.name();
        Optional<String> nearest = NearestName.of(written, block.names());
        Optional<String> home = blocks(root)
                .filter(other -> !other.name().equals(block.name()) && other.knows(written))
                .findFirst()
                .map(other -> other.name().isEmpty() ? "the top of the recipe" : other.name());
        if (home.isPresent()) return "is not a key of %s; it belongs in %s.".formatted(here, home.get());
        return nearest.map(name -> "is not a key of %s; did you mean %s?".formatted(here, name))
                .orElse("is not a key of %s.".formatted(here));
    }

    private static Stream<Block> blocks(Block block) {
        return Stream.concat(Stream.of(block), block.blocks().stream().flatMap(SectionReader::blocks));
    }

}
