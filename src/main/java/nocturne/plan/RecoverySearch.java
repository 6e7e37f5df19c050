package nocturne.plan;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import nocturne.problem.UserMistake;

/// Finds the accuracy recovery adapter that a recipe's `qtype: format|path` means. Nothing is ever downloaded.
///
/// The path may be one inside the bundle, or name a file that the operator has put into `models/`. Nothing outside
/// these folders is ever looked at.
public final class RecoverySearch {
    public static final String NOT_FOUND = "ADAPTER_NOT_FOUND";

    private RecoverySearch() {}

    /// @param path    such as `ara.safetensors` or `ostris/accuracy_recovery_adapters/uint3.safetensors`
    /// @param folders of the operator, for models
    /// @throws UserMistake `ADAPTER_NOT_FOUND`
    static Path find(String path, Path bundle, List<Path> folders) {
        return look(path, bundle, folders).orElseThrow(() -> new UserMistake(NOT_FOUND, path, "is not here, neither in"
                + " the bundle nor in the folders for models. Put the accuracy recovery adapter into the bundle or into"
                + " models/."));
    }

    /// The same; empty where it is not here.
    static Optional<Path> look(String path, Path bundle, List<Path> folders) {
        Path asked;
        try {
            asked = Path.of(path);
        } catch (InvalidPathException e) {
            throw new UserMistake(NOT_FOUND, path, "is no path: " + e.getReason());
        }
        List<Path> places = new ArrayList<>(below(bundle, asked));
        for (Path folder : folders) places.addAll(below(folder, asked));
        Path last = asked.getFileName();
        if (last != null) for (Path folder : folders) places.addAll(below(folder, last));
        return places.stream().filter(Files::isRegularFile).findFirst();
    }

    private static List<Path> below(Path folder, Path asked) {
        Path root = folder.toAbsolutePath().normalize();
        Path place = root.resolve(asked).normalize();
        return place.startsWith(root) ? List.of(place) : List.of();
    }
}
