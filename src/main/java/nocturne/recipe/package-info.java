/// What a job asks for: the text a person wrote becomes a [nocturne.recipe.Recipe], or a list of everything wrong
/// with it.
///
/// The text speaks AI-Toolkit's dialect, and a shorter one of our own. It passes four stations:
///
/// 1. `RecipeSource` turns YAML or JSON into a tree whose every node knows its line and column.
/// 2. `Dialect` moves what other spellings put elsewhere to the one place we know it by.
/// 3. `SectionReader` compares the tree with the key tables (`RootKeys`, `TrainKeys` and their neighbours): each key
///    is defined there once, with its kind, bounds, default and meaning, and the tables feed the parser, the messages,
///    the resolved file and any reference made from them.
/// 4. `Rulings` fills what depends on something else and settles what the sources of the recipe disagree about;
///    `RuleBook` judges what was chosen: each [nocturne.recipe.Rule] refuses, warns or remarks.
///
/// Ids such as `S2-03`, `X-09` or `B5` name the rows of the ledger of demands that a default or a rule answers.
///
/// Invariants:
/// * Nothing is ignored silently: a key is understood, or a notice says it is not used, or the recipe is refused.
/// * A reader returns a recipe or throws one [nocturne.problem.UserMistake] with all problems, each with its line.
/// * Rules judge what is sound: one is not asked where its block, or what all rules look at, could not be read. A
///   refusal tells what rules refuse together with all other problems.
/// * A [nocturne.recipe.Recipe] that exists is valid: the records check what they are given.
/// * The resolved text is itself a recipe, and reading it gives an equal [nocturne.recipe.Recipe].
/// * No path of a recipe leaves its bundle, and nothing in a recipe reads the environment.
@NullMarked
package nocturne.recipe;

import org.jspecify.annotations.NullMarked;
