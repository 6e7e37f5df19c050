package nocturne;

import java.io.PrintWriter;
import nocturne.recipe.RecipeReference;
import nocturne.recipe.RecipeSchema;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `nocturne recipe`: what a recipe may say.
@Command(name = "recipe", description = "Prints what a recipe may say, for people or for editors.")
final class RecipeCommand implements Runnable {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    RecipeCommand() {}

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "recipe: reference or schema?");
    }

    @Command(name = "reference", description = "Every key with its default, meaning, reason and values that work,"
            + " as Markdown.")
    int reference() {
        return print(RecipeReference.markdown());
    }

    @Command(name = "schema", description = "A JSON Schema, with which editors complete and check recipes.")
    int schema() {
        return print(RecipeSchema.json());
    }

    private int print(String text) {
        PrintWriter out = spec.commandLine().getOut();
        out.print(text);
        out.flush();
        return ExitCode.DONE.number();
    }
}
