package nocturne.plan;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import nocturne.problem.UserMistake;

/// Finds the folder that a recipe's `model.name_or_path` means. Nothing is ever downloaded.
final class ModelSearch {
    private ModelSearch() {}

    /// @param nameOrPath a path, or a model's name such as `Qwen/Qwen-Image-Edit-2509`
    /// @param roots      folders to look in, in order
    /// @throws UserMistake `MODEL_NOT_FOUND` with all places looked at
    static Path find(String nameOrPath, List<Path> roots) {
        Path asked = Path.of(nameOrPath);
        Path last = asked.getFileName() == null ? asked : asked.getFileName();
        Set<Path> places = new LinkedHashSet<>();
        for (Path root : roots) {
            places.add(root.resolve(asked).toAbsolutePath().normalize());
            places.add(root.resolve("models").resolve(last).toAbsolutePath().normalize());
        }
        for (Path place : places) if (Files.isDirectory(place)) return place;
        throw new UserMistake("MODEL_NOT_FOUND", nameOrPath,
                "is not here. Looked at %s. Put the model's folder at one of"
                .formatted(places.stream().map(Path::toString).collect(Collectors.joining(", ")))
                + " these, or name its folder with --model.");
    }
}
