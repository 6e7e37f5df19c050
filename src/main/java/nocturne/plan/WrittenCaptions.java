package nocturne.plan;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;
import nocturne.dataset.Captions;
import nocturne.dataset.Dataset;
import nocturne.dataset.Sample;
import nocturne.recipe.DatasetRecipe;

/// Captions as somebody wrote them, before the trigger word comes into them.
///
/// @param byPicture the text beside each picture of one dataset, by the picture's path in the bundle; empty where there
///                  is none, or nothing in it
record WrittenCaptions(SequencedMap<String, String> byPicture) {
    /// @param bundle  the root that the dataset's folder is relative to
    /// @param scanned holds the pictures of this dataset, and perhaps of others
    static WrittenCaptions of(DatasetRecipe dataset, Path bundle, Dataset scanned) {
        Path folder = real(bundle.resolve(dataset.folder()));
        Map<Path, Map<String, Path>> listings = new HashMap<>();
        SequencedMap<String, String> captions = new LinkedHashMap<>();
        for (Sample sample : scanned.samples()) {
            Path picture = sample.picture().file();
            if (!picture.startsWith(folder)) continue;
            captions.computeIfAbsent(folder.relativize(picture).toString().replace('\\', '/'),
                    _ -> beside(picture, dataset.captionExtension(), listings));
        }
        return new WrittenCaptions(captions);
    }

    int count() {
        return byPicture.size();
    }

    List<String> texts() {
        return byPicture.values().stream().filter(text -> !text.isEmpty()).toList();
    }

    List<String> picturesWithout() {
        return byPicture.entrySet().stream().filter(entry -> entry.getValue().isEmpty()).map(Map.Entry::getKey)
                .toList();
    }

    private static String beside(Path picture, String extension, Map<Path, Map<String, Path>> listings) {
        Path folder = picture.getParent();
        String name = picture.getFileName().toString();
        int dot = name.lastIndexOf('.');
        String stem = dot > 0 ? name.substring(0, dot) : name;
        Map<String, Path> captions = listings.computeIfAbsent(folder, it -> captions(it, extension));
        return Optional.ofNullable(captions.get(stem)).map(WrittenCaptions::text).orElse("");
    }

    /// By stem. Endings are the same in capitals and in small letters, as where datasets are scanned.
    private static Map<String, Path> captions(Path folder, String extension) {
        Map<String, Path> captions = new HashMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString();
                if (!name.toLowerCase(Locale.ROOT).endsWith(extension.toLowerCase(Locale.ROOT))) continue;
                captions.putIfAbsent(name.substring(0, name.length() - extension.length()), file);
            }
        } catch (IOException gone) {
            // The scan read the folder a moment ago; whoever trains it will tell.
            return captions;
        }
        return captions;
    }

    private static String text(Path file) {
        try {
            return Captions.read(file);
        } catch (Captions.Unusable refusedAlready) {
            return "";
        }
    }

    private static Path real(Path folder) {
        try {
            return folder.toRealPath();
        } catch (IOException gone) {
            return folder.toAbsolutePath().normalize();
        }
    }
}
