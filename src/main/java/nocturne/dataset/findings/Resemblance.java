package nocturne.dataset.findings;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import nocturne.dataset.FoundFolder;
import nocturne.dataset.FoundPicture;
import nocturne.dataset.findings.Finding.Kind;
import nocturne.dataset.findings.Finding.Likeness;
import nocturne.image.Look;

/// Finds pictures that look alike, as they are or mirrored, and files that are the same. Every picture is compared with
/// every other: that is 200 million comparisons of a few nanoseconds for the 20,000 pictures that a service takes at
/// most.
///
/// Pictures are grouped over chains: where a is like b and b like c, all three belong together.
final class Resemblance {
    /// @param look empty where there was no time for one
    private record Seen(String label, String sha256, Optional<Look> look, boolean heldOut) {}

    private final List<Seen> pictures = new ArrayList<>();
    private final Set<Path> trainedFiles = new HashSet<>();
    private final Set<Path> heldOutFiles = new HashSet<>();
    /// The group of each picture: the index of an earlier one of it, in the end its first.
    private int[] group = {};
    /// Those pairs that brought a picture into its group: at most one for each picture, however many are alike.
    private final Map<Integer, List<Likeness>> pairs = new LinkedHashMap<>();

    static List<Finding> of(List<FoundFolder> training, List<FoundFolder> heldOut) {
        Resemblance resemblance = new Resemblance();
        training.forEach(folder -> resemblance.add(folder, false));
        heldOut.forEach(folder -> resemblance.add(folder, true));
        return resemblance.findings();
    }

    private void add(FoundFolder folder, boolean heldOut) {
        for (FoundPicture picture : folder.pictures()) {
            // A folder may be two datasets, at different resolutions.
            if (!(heldOut ? heldOutFiles : trainedFiles).add(picture.picture().file())) continue;
            pictures.add(new Seen(picture.label(), picture.picture().sha256(), picture.look(), heldOut));
        }
    }

    private List<Finding> findings() {
        compareAll();
        Map<Integer, List<Integer>> groups = new LinkedHashMap<>();
        for (int i = 0; i < group.length; i++) groups.computeIfAbsent(first(i), key -> new ArrayList<>()).add(i);
        List<Finding> findings = new ArrayList<>();
        for (List<Integer> members : groups.values()) if (members.size() > 1) findings.add(finding(members));
        return findings;
    }

    private void compareAll() {
        group = new int[pictures.size()];
        for (int i = 0; i < group.length; i++) {
            group[i] = i;
            Seen one = pictures.get(i);
            for (int k = 0; k < i; k++) {
                Seen other = pictures.get(k);
                OptionalInt asItIs = likeness(one, other);
                OptionalInt bits = asItIs.isPresent() ? asItIs : mirroredLikeness(one, other);
                if (bits.isEmpty() || first(i) == first(k)) continue;
                join(i, k, new Likeness(other.label, one.label, bits.getAsInt(), asItIs.isEmpty()));
            }
        }
    }

    private static OptionalInt likeness(Seen one, Seen other) {
        if (one.sha256.equals(other.sha256)) return OptionalInt.of(0);
        if (one.look.isEmpty() || other.look.isEmpty()) return OptionalInt.empty();
        return one.look.get().likeness(other.look.get());
    }

    private static OptionalInt mirroredLikeness(Seen one, Seen other) {
        if (one.look.isEmpty() || other.look.isEmpty()) return OptionalInt.empty();
        return one.look.get().mirroredLikeness(other.look.get());
    }

    private int first(int i) {
        int at = i;
        while (group[at] != at) at = group[at];
        group[i] = at;
        return at;
    }

    private void join(int i, int k, Likeness likeness) {
        int earlier = Math.min(first(i), first(k));
        int later = Math.max(first(i), first(k));
        group[later] = earlier;
        List<Likeness> joined = pairs.computeIfAbsent(earlier, key -> new ArrayList<>());
        List<Likeness> others = pairs.remove(later);
        if (others != null) joined.addAll(others);
        joined.add(likeness);
    }

    private Finding finding(List<Integer> members) {
        List<Likeness> alike = pairs.getOrDefault(members.getFirst(), List.of());
        int bits = alike.stream().mapToInt(Likeness::bits).max().orElse(0);
        boolean trained = members.stream().anyMatch(i -> !pictures.get(i).heldOut);
        boolean heldOut = members.stream().anyMatch(i -> pictures.get(i).heldOut);
        boolean mirrored = alike.stream().anyMatch(Likeness::mirrored);
        String text = String.format(Locale.ROOT, "%d pictures, %s%s", members.size(),
                bits == 0 ? "the same from afar" : "differing in at most %d of 63 bits".formatted(bits),
                mirrored ? ", some mirrored" : "");
        List<String> names = members.stream().map(i -> pictures.get(i).label).distinct().toList();
        return new Finding(trained && heldOut ? Kind.HELD_OUT_TRAINED : Kind.ALIKE, names, bits, text, alike);
    }
}
