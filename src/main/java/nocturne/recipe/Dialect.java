package nocturne.recipe;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Brings the shapes in which recipes are written to the one the key tables describe: one level, every key in its
/// block. Nodes keep their places, so messages still point at what was written.
///
/// * AI-Toolkit: `job`, `config: {name, process: [...]}`, `meta`.
/// * The short form: the blocks themselves at the top, all of them optional.
/// * `optimizer: {name, lr}` and `training: {...}` beside the blocks or in `train` (ledger S2-11, S2-19).
final class Dialect {
    private final Findings findings;

    Dialect(Findings findings) {
        this.findings = findings;
    }

    /// @throws nocturne.problem.UserMistake if there is no block of keys to begin with
    Node.Mapping straighten(Node root) {
        if (root.isNull()) return new Node.Mapping(root.at(), List.of());
        if (!(root instanceof Node.Mapping top)) {
            throw findings.fatal(root.at(), "", "a recipe is a block of keys such as trigger_word: ohwx, not %s."
                    .formatted(root instanceof Node.Sequence ? "a list" : "a single text"));
        }
        return gathered(unwrapped(top));
    }

    private Node.Mapping unwrapped(Node.Mapping top) {
        Optional<Node.Entry> config = top.entry("config");
        if (config.isEmpty()) return top;
        List<Node.Entry> entries = new ArrayList<>(without(top, "config"));
        if (!(config.get().value() instanceof Node.Mapping level)) {
            throw findings.fatal(config.get().at(), "config", "%s is not allowed; a block with name and process."
                    .formatted(config.get().value().shown()));
        }
        entries.addAll(without(level, "process"));
        Optional<Node.Entry> process = level.entry("process");
        if (process.isEmpty()) {
            findings.refuse(config.get().at(), "config.process", "is missing; a list with one process.");
            return new Node.Mapping(top.at(), entries);
        }
        addProcess(process.get(), level.entry("name").isPresent(), entries);
        return new Node.Mapping(top.at(), entries);
    }

    private void addProcess(Node.Entry process, boolean named, List<Node.Entry> entries) {
        List<Node> items =
                process.value() instanceof Node.Sequence sequence ? sequence.items() : List.of(process.value());
        if (items.size() != 1) {
            findings.refuse(process.at(), "config.process",
                    "a list of %d is not allowed; exactly one process. Drop each as its own bundle."
                            .formatted(items.size()));
        }
        for (Node item : items) {
            if (!(item instanceof Node.Mapping mapping)) {
                findings.refuse(item.at(), "config.process",
                        "%s is not allowed; a block of keys.".formatted(item.shown()));
                continue;
            }
            if (mapping.entry("network").filter(network -> !network.value().isNull()).isEmpty()) {
                findings.refuse(mapping.at(), "config.process[0].network",
                        "is missing, and without it ai-toolkit trains the whole model; here adapters are trained. Write"
                                + " network: {type: lora}.");
            }
            Optional<Node.Entry> name = mapping.entry("name");
            if (named && name.isPresent()) {
                findings.note("B1", name.get().at(), "config.process[0].name",
                        "is not used: config.name names the job.");
                entries.addAll(without(mapping, "name"));
            } else {
                entries.addAll(mapping.entries());
            }
            return;
        }
    }

    /// Collects into `train` what belongs there.
    private Node.Mapping gathered(Node.Mapping level) {
        List<Node.Entry> entries = new ArrayList<>();
        List<Node.Entry> train = new ArrayList<>();
        Node.Entry first = null;
        for (Node.Entry entry : level.entries()) {
            boolean block = entry.value() instanceof Node.Mapping;
            boolean forTrain = switch (entry.key()) {
                case "train" -> block;
                case "training" -> {
                    if (block) findings.note("B9", entry.at(), "training", "is read as train.");
                    yield block;
                }
                case "optimizer", "ema_config" -> true;
                case "device" -> {
                    refuseOtherDevices(entry);
                    yield false;
                }
                default -> false;
            };
            if (!forTrain) {
                entries.add(entry);
                continue;
            }
            if (first == null || entry.key().equals("train")) first = entry;
            boolean whole = entry.key().startsWith("train");
            List<Node.Entry> inner = whole ? ((Node.Mapping) entry.value()).entries() : List.of(entry);
            for (Node.Entry one : inner) add(one, whole ? entry.key() + "." : "", train, entries);
        }
        if (first != null) {
            entries.add(new Node.Entry(first.at(), "train", new Node.Mapping(first.at(), merged(train))));
        }
        return new Node.Mapping(level.at(), merged(entries));
    }

    private void add(Node.Entry entry, String prefix, List<Node.Entry> train, List<Node.Entry> top) {
        if (entry.key().equals("optimizer") && entry.value() instanceof Node.Mapping optimizer) {
            findings.note("B9", entry.at(), prefix + "optimizer",
                    "its name and lr are read as train.optimizer and train.lr.");
            List<Node.Entry> parameters = new ArrayList<>();
            for (Node.Entry inner : optimizer.entries()) {
                switch (inner.key()) {
                    case "name" -> train.add(new Node.Entry(inner.at(), "optimizer", inner.value()));
                    case "lr" -> train.add(inner);
                    default -> parameters.add(inner);
                }
            }
            if (!parameters.isEmpty()) {
                train.add(new Node.Entry(entry.at(), "optimizer_params", new Node.Mapping(entry.at(), parameters)));
            }
        } else if (entry.key().equals("seed")) {
            findings.note("B6", entry.at(), prefix + "seed", "is read as training_seed.");
            top.add(new Node.Entry(entry.at(), "training_seed", entry.value()));
        } else {
            train.add(entry);
        }
    }

    /// A GPU's number means little elsewhere; another kind of device was meant.
    private void refuseOtherDevices(Node.Entry device) {
        if (!(device.value() instanceof Node.Scalar(Position at, String text)) || text == null) return;
        String kind = text.strip().toLowerCase(Locale.ROOT).replaceFirst(":.*", "");
        if (kind.equals("cpu") || kind.equals("mps")) {
            findings.refuse(at, "device", "%s is not allowed; leave it out: the device is chosen when the job starts."
                    .formatted(Shown.value(text)));
        }
    }

    /// Blocks that came from two places become one; keys that did stay twice, and the section reader compares them.
    private static List<Node.Entry> merged(List<Node.Entry> entries) {
        List<Node.Entry> merged = new ArrayList<>();
        for (Node.Entry entry : entries) {
            int earlier = -1;
            for (int i = 0; i < merged.size(); i++) if (merged.get(i).key().equals(entry.key())) earlier = i;
            if (earlier >= 0 && entry.value() instanceof Node.Mapping(Position _, List<Node.Entry> more)
                    && merged.get(earlier).value() instanceof Node.Mapping(Position at, List<Node.Entry> present)) {
                List<Node.Entry> both = new ArrayList<>(present);
                both.addAll(more);
                merged.set(earlier, new Node.Entry(merged.get(earlier).at(), entry.key(), new Node.Mapping(at, both)));
            } else {
                merged.add(entry);
            }
        }
        return merged;
    }

    private static List<Node.Entry> without(Node.Mapping mapping, String key) {
        return mapping.entries().stream().filter(entry -> !entry.key().equals(key)).toList();
    }
}
