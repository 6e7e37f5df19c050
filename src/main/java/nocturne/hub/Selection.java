package nocturne.hub;

import java.nio.file.FileSystems;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import nocturne.problem.UserMistake;

/// Which of a model's files are fetched.
final class Selection {
    private static final Set<String> AT_THE_TOP = Set.of("model_index.json", "LICENSE", "LICENSE.md", "LICENSE.txt");
    private static final String EDITING = "processor";
    private static final Pattern SMALL = Pattern.compile(".*\\.(json|txt|jinja|model)");
    /// `diffusion_pytorch_model` of `diffusion_pytorch_model.fp16-00001-of-00002.safetensors`, and `.fp16`.
    private static final Pattern WEIGHTS = Pattern.compile(
            "[^.]+?(?<variant>\\.[^.]+?)?(?<shard>-\\d{5}-of-\\d{5})?\\.safetensors(\\.index\\.json)?");

    private Selection() {}

    /// What a pipeline needs: settings, words and weights of each part, the weights once. A model that also comes in
    /// other formats (`.bin`, `.msgpack`, `.onnx`), in other precisions (`.fp16.safetensors`), or both whole and in
    /// shards, brings 57 GB that nobody reads.
    ///
    /// @throws UserMistake `HUB_REFUSED` if the model is no pipeline in the released layout
    static List<HubFile> ofPipeline(ModelId id, List<HubFile> files) {
        List<HubFile> wanted = new ArrayList<>();
        for (HubFile file : files) if (AT_THE_TOP.contains(file.path())) wanted.add(file);
        List<String> missing = new ArrayList<>();
        for (String part : Pipeline.PARTS) {
            List<HubFile> chosen = ofPart(part, files);
            boolean lacksWeights = Pipeline.WITH_WEIGHTS.contains(part) && chosen.stream().noneMatch(Selection::weighs);
            if (chosen.isEmpty() || lacksWeights) missing.add(part + "/");
            wanted.addAll(chosen);
        }
        wanted.addAll(ofPart(EDITING, files));
        if (missing.isEmpty()) return wanted;
        throw new UserMistake("HUB_REFUSED", id.toString(), ("is no pipeline in the layout in which Qwen-Image is"
                + " released: it has no %s. If some of its files are wanted all the same, name them with --include.")
                .formatted(String.join(", ", missing)));
    }

    private static boolean weighs(HubFile file) {
        return file.path().endsWith(Pipeline.WEIGHTS);
    }

    private static List<HubFile> ofPart(String part, List<HubFile> files) {
        List<HubFile> here = files.stream().filter(file -> file.path().startsWith(part + "/")
                && file.path().indexOf('/', part.length() + 1) < 0).toList();
        List<HubFile> chosen = new ArrayList<>();
        List<HubFile> weights = new ArrayList<>();
        for (HubFile file : here) {
            if (weightsOf(file).matches()) weights.add(file);
            else if (SMALL.matcher(file.path()).matches()) chosen.add(file);
        }
        chosen.addAll(once(weights));
        return chosen;
    }

    /// One set of weights: without a variant before one with, in shards with their index before whole.
    private static List<HubFile> once(List<HubFile> weights) {
        Set<String> variants = new HashSet<>();
        for (HubFile file : weights) variants.add(variantOf(file));
        String variant = variants.contains("") ? "" : variants.stream().sorted().findFirst().orElse("");
        List<HubFile> set = weights.stream().filter(file -> variantOf(file).equals(variant)).toList();
        boolean indexed = set.stream().anyMatch(file -> file.path().endsWith(Pipeline.INDEX));
        boolean sharded = set.stream().anyMatch(Selection::isShard);
        if (!indexed || !sharded) return set.stream().filter(file -> !file.path().endsWith(Pipeline.INDEX)).toList();
        return set.stream().filter(file -> isShard(file) || file.path().endsWith(Pipeline.INDEX)).toList();
    }

    private static boolean isShard(HubFile file) {
        Matcher weights = weightsOf(file);
        return weights.matches() && weights.group("shard") != null;
    }

    private static String variantOf(HubFile file) {
        Matcher weights = weightsOf(file);
        String variant = weights.matches() ? weights.group("variant") : null;
        return variant == null ? "" : variant;
    }

    private static Matcher weightsOf(HubFile file) {
        return WEIGHTS.matcher(file.path().substring(file.path().lastIndexOf('/') + 1));
    }

    /// The files that a person asked for.
    ///
    /// @param patterns such as `transformer/*.json` or `**.safetensors`; one of them must match
    /// @throws UserMistake `HUB_REFUSED` if nothing matches, or a pattern is none
    static List<HubFile> of(List<String> patterns, List<HubFile> files) {
        List<PathMatcher> matchers = patterns.stream().map(Selection::matcher).toList();
        List<HubFile> wanted = files.stream()
                .filter(file -> matchers.stream().anyMatch(matcher -> matches(matcher, file))).toList();
        if (!wanted.isEmpty()) return wanted;
        throw new UserMistake("HUB_REFUSED", "--include " + String.join(" --include ", patterns),
                "matches no file of the model.");
    }

    private static boolean matches(PathMatcher matcher, HubFile file) {
        try {
            return matcher.matches(Path.of(file.path()));
        } catch (InvalidPathException notHere) {
            return false;
        }
    }

    private static PathMatcher matcher(String pattern) {
        try {
            return FileSystems.getDefault().getPathMatcher("glob:" + pattern);
        } catch (PatternSyntaxException e) {
            throw new UserMistake("HUB_REFUSED", "--include " + pattern, "is no pattern: " + e.getDescription());
        }
    }
}
