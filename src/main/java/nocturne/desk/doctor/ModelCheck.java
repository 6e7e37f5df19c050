package nocturne.desk.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import nocturne.desk.Quantity;
import nocturne.hub.HubCache;
import nocturne.hub.ModelId;
import nocturne.hub.Pipeline;
import nocturne.hub.Pull;
import org.jspecify.annotations.Nullable;

/// What lies in the folders for models, and whether it is all there. What is in the files only a training can tell.
final class ModelCheck implements Check {
    /// What a recipe that names no model means.
    private static final ModelId STANDARD = ModelId.KNOWN.getFirst();

    private final List<Path> roots;
    private final @Nullable HubCache cache;

    /// @param roots the folders of `nocturne.models.roots`, absolute
    /// @param cache of the hub's own programs; null for none
    ModelCheck(List<Path> roots, @Nullable HubCache cache) {
        this.roots = roots;
        this.cache = cache;
    }

    @Override
    public List<Finding> look() throws IOException {
        List<Finding> findings = new ArrayList<>();
        for (Path root : roots) {
            if (!Files.isDirectory(root)) continue;
            try (Stream<Path> models = Files.list(root)) {
                for (Path model : models.filter(Files::isDirectory).sorted().toList()) {
                    Path real = model.toRealPath();
                    String name = model.getFileName().toString();
                    // A root may be a cache itself, which is looked at below.
                    if (name.startsWith("models--")) continue;
                    if (name.startsWith(".")) arriving(name).ifPresent(findings::add);
                    else findings.add(isBelowARoot(real) ? model(name, real) : elsewhere(name, real));
                }
            }
        }
        for (Path root : roots) findings.addAll(cached(new HubCache(root)));
        HubCache fetched = cache;
        if (fetched != null && !roots.contains(fetched.root())) findings.addAll(cached(fetched));
        if (findings.stream().noneMatch(finding -> finding.level() == Finding.Level.OK)) {
            findings.add(Finding.problem("models", "no complete pipeline in " + shown(), "Fetch one with "
                    + STANDARD.command() + ", or put one there, as it is released: a folder with "
                    + String.join("/, ", Pipeline.PARTS) + "/."));
        }
        if (findings.stream().noneMatch(finding -> finding.found().contains(STANDARD.name()))) {
            findings.add(Finding.note("models", STANDARD.name() + " is not there", "Bundles whose recipe names no"
                    + " model are refused until it is; no job downloads it. To fetch it: " + STANDARD.command()));
        }
        return findings;
    }

    /// A pull that works, or has been interrupted.
    private static Optional<Finding> arriving(String name) {
        if (!name.startsWith(Pull.ARRIVING)) return Optional.empty();
        return Optional.of(Finding.note("models", name.substring(Pull.ARRIVING.length()) + " is being fetched, or was",
                "If nobody is at it, the same ./nocturne pull goes on from there."));
    }

    private String shown() {
        return roots.isEmpty() ? "nocturne.models.roots, which is empty"
                : String.join(", ", roots.stream().map(Path::toString).toList());
    }

    private boolean isBelowARoot(Path real) throws IOException {
        for (Path root : roots) {
            if (Files.isDirectory(root) && real.startsWith(root.toRealPath())) return true;
        }
        return false;
    }

    private static Finding elsewhere(String name, Path real) {
        return Finding.note("models", "%s leads to %s, outside of nocturne.models.roots".formatted(name, real),
                "Add %s there; jobs that name this model are refused until then.".formatted(real.getParent()));
    }

    private static Finding model(String name, Path model) throws IOException {
        Set<String> missing = new TreeSet<>(Pipeline.missingShards(model));
        for (String part : Pipeline.PARTS) {
            if (!Files.isDirectory(model.resolve(part))) missing.add(part + "/");
        }
        return finding(name, model, missing, "Copy what is missing, or fetch it with ./nocturne pull; jobs that name"
                + " this model are refused until then.");
    }

    /// What the hub's own programs have fetched of the models we train.
    private static List<Finding> cached(HubCache fetched) throws IOException {
        List<Finding> findings = new ArrayList<>();
        for (ModelId id : ModelId.KNOWN) {
            Optional<Path> snapshot = fetched.snapshot(id);
            if (snapshot.isEmpty()) continue;
            findings.add(finding(id + " in " + fetched.root(), snapshot.get(), Pipeline.missing(snapshot.get()),
                    "Fetch the rest with the program that began it, or the model with " + id.command() + "."));
        }
        return findings;
    }

    private static Finding finding(String name, Path model, Set<String> missing, String todo) throws IOException {
        if (!missing.isEmpty()) {
            return Finding.note("models", "%s is not complete: %s".formatted(name, String.join(", ", missing)), todo);
        }
        long bytes = 0;
        try (Stream<Path> files = Files.walk(model, 3)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) bytes += Files.size(file);
        }
        return Finding.ok("models", name + ", " + Quantity.bytes(bytes));
    }
}
