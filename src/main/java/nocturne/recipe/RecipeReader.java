package nocturne.recipe;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// Reads a recipe: the door of this package.
///
/// Every method throws one [UserMistake] with code `RECIPE_INVALID` and all problems of the text, each with its line.
public final class RecipeReader {
    private static final String NO_FILE = "recipe";

    private final BundleFacts bundle;
    private final @Nullable String model;
    private final Adaptation adaptation;

    private RecipeReader(BundleFacts bundle, @Nullable String model, Adaptation adaptation) {
        this.bundle = bundle;
        this.model = model;
        this.adaptation = adaptation;
    }

    /// A reader for the recipe of one bundle.
    public static RecipeReader in(BundleFacts bundle) {
        return new RecipeReader(bundle, null, Adaptation.NONE);
    }

    /// The same reader, with another model than the recipe names: the command's `--model`.
    public RecipeReader withModel(String nameOrPath) {
        return new RecipeReader(bundle, nameOrPath, adaptation);
    }

    /// The same reader, for the device that the recipe will run on.
    public RecipeReader adaptedTo(Adaptation device) {
        return new RecipeReader(bundle, model, device);
    }

    /// Reads a file; `.json` and `.jsonc` are JSON, everything else is YAML.
    ///
    /// @throws SickMachine if the file is there and cannot be read
    public ResolvedRecipe read(Path file) {
        String name = String.valueOf(file.getFileName());
        Findings findings = new Findings(name);
        if (Files.isDirectory(file)) throw new UserMistake(Findings.CODE, name, "is a folder, not a recipe.");
        try (InputStream in = Files.newInputStream(file)) {
            // One byte more than allowed is enough to know that it is too much.
            return resolve(RecipeText.decode(in.readNBytes(RecipeText.MOST_BYTES + 1), findings), name, findings);
        } catch (NoSuchFileException e) {
            throw new UserMistake(Findings.CODE, name, "there is no such file: " + file + ".");
        } catch (IOException e) {
            throw new SickMachine("RECIPE_UNREADABLE", "reading " + file + " failed: " + e.getMessage(), e);
        }
    }

    /// Reads a text.
    ///
    /// @param file the name messages use; its ending decides between JSON and YAML
    public ResolvedRecipe read(String text, String file) {
        return resolve(text, file, new Findings(file));
    }

    /// The recipe of a bundle that has none.
    public ResolvedRecipe standard() {
        return resolve("", NO_FILE, new Findings(NO_FILE));
    }

    private ResolvedRecipe resolve(String text, String file, Findings findings) {
        Node.Mapping mapping = new Dialect(findings).straighten(RecipeSource.parse(text, file, findings));
        Section root = new SectionReader(RootKeys.ROOT, findings).read(mapping);
        if (model != null) {
            root.child(ModelKeys.BLOCK).set(ModelKeys.NAME_OR_PATH, model, new Origin.CommandLine("--model"));
        }
        adaptation.cardGib().ifPresent(gib -> CardDefaults.apply(root, gib));
        new Rulings(root, bundle, findings).apply();
        if (findings.hasProblems()) RuleBook.refuseToo(root, bundle, adaptation.cardGib(), findings);
        findings.throwIfAny();
        Recipe asked = Assembly.recipe(root);
        RuleBook.apply(new Evidence(asked, root, bundle, adaptation.cardGib()), findings);
        findings.throwIfAny();
        // Behind the rules: they judge what a person asks for, not what memory makes of it.
        for (Rung rung : adaptation.rungs()) rung.apply(root, findings);
        Recipe recipe = Assembly.recipe(root);
        ResolvedText resolved = ResolvedText.of(root, file);
        return new ResolvedRecipe(recipe, findings.notices(), resolved.origins(), resolved.yaml());
    }
}
