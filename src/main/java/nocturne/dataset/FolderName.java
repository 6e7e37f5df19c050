package nocturne.dataset;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What a dataset folder's name says in the convention of kohya's trainers: `40_maya_char` or `40_maya_char woman` is
/// 40 repeats of a concept whose trigger is `maya_char`.
///
/// @param repeats 1 to 99 999
/// @param trigger the word after the number; where a class follows behind a space, without it
public record FolderName(int repeats, String trigger) {
    private static final Pattern CONVENTION = Pattern.compile("([1-9][0-9]{0,4})_(\\S+).*");

    /// Empty where the name does not follow the convention.
    public static Optional<FolderName> of(Path folder) {
        Path name = folder.getFileName();
        if (name == null) return Optional.empty();
        Matcher matcher = CONVENTION.matcher(name.toString());
        if (!matcher.matches()) return Optional.empty();
        return Optional.of(new FolderName(Integer.parseInt(matcher.group(1)), matcher.group(2)));
    }
}
