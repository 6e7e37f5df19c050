package nocturne.quant;

import java.nio.file.Path;
import java.util.function.Consumer;

/// Where the quantised weights of a model are kept from one start to the next; see [QuantizedCache].
///
/// @param folder  for the weights of any number of models
/// @param model   identifies the content of the model's files
/// @param notices is told, one sentence each, what a person should know
public record WeightCache(Path folder, String model, Consumer<String> notices) {}
