package nocturne.plan;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import nocturne.problem.UserMistake;

/// Finds the accuracy recovery adapter that a recipe's `qtype: format|path` means. Nothing is ever downloaded.
///
/// The path may be one inside the bundle, or name a file that the operator has put into `models/`. Nothing outside
/// these folders is ever looked at.
final class RecoverySearch {
    private RecoverySearch() {}

    /// @param path such as `ara.safetensors` or `ostris/accuracy_recovery_adapters/uint3.safetensors`
    /// @throws UserMistake `ADAPTER_NOT_FOUND` with all places looked at
    static Path find(String path, Path bundle, Path home) {
        Path asked;
        try {
            asked = Path.of(path);
        } catch (InvalidPathException e) {
            throw new UserMistake("ADAPTER_NOT_FOUND", path, "is no path: " + e.getReason());
        }
        Path models = home.resolve("models").toAbsolutePath().normalize();
        Set<Path> places = new LinkedHashSet<>();
        for (Path root : List.of(bundle.toAbsolutePath().normalize(), models)) {
            Path place = root.resolve(asked).normalize();
            if (place.startsWith(root)) places.add(place);
        }
        if (asked.getFileName() != null) places.add(models.resolve(asked.getFileName()).normalize());
        for (Path place : places) if (Files.isRegularFile(place)) return place;
        throw new UserMistake("ADAPTER_NOT_FOUND", path,
                "is not here. Looked at %s. Put the accuracy recovery adapter into the bundle or into models/."
                .formatted(places.stream().map(Path::toString).collect(Collectors.joining(", "))));
    }
}
