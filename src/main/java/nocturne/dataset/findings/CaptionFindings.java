package nocturne.dataset.findings;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import nocturne.dataset.Captions;
import nocturne.dataset.FoundFolder;
import nocturne.dataset.FoundPicture;
import nocturne.dataset.findings.DatasetReport.CaptionLengths;
import nocturne.dataset.findings.Finding.Kind;

/// What is to be said of captions. A caption never stands in a finding: findings travel further than captions may.
final class CaptionFindings {
    /// Characters of a caption that is a description and not a story: five times the most that works best (S2-54).
    static final int LONG = 1000;
    /// About what 1024 tokens hold, where nobody can count them.
    static final int MOST = 4000;

    private final CaptionTokens tokens;
    private final List<Finding> findings = new ArrayList<>();
    private final Map<String, List<String>> byText = new LinkedHashMap<>();
    private final List<Integer> lengths = new ArrayList<>();
    private int missing;
    private int empty;
    private OptionalInt longestTokens = OptionalInt.empty();

    CaptionFindings(List<FoundFolder> folders, CaptionTokens tokens) {
        this.tokens = tokens;
        for (FoundFolder folder : folders) for (FoundPicture picture : folder.pictures()) look(folder, picture);
        byText.values().stream().filter(pictures -> pictures.size() > 1).forEach(pictures -> findings.add(new Finding(
                Kind.CAPTION_SHARED, pictures, pictures.size(), pictures.size() + " pictures", List.of())));
    }

    List<Finding> findings() {
        return findings;
    }

    CaptionLengths lengths() {
        List<Integer> sorted = lengths.stream().sorted().toList();
        if (sorted.isEmpty()) return new CaptionLengths(0, missing, empty, 0, 0, 0, longestTokens);
        return new CaptionLengths(sorted.size(), missing, empty, sorted.getFirst(), sorted.get(sorted.size() / 2),
                sorted.getLast(), longestTokens);
    }

    private void look(FoundFolder folder, FoundPicture picture) {
        String text = picture.caption();
        if (text.isEmpty()) {
            if (picture.hasCaption()) empty++;
            else missing++;
            findings.add(Finding.of(picture.hasCaption() ? Kind.CAPTION_EMPTY : Kind.CAPTION_MISSING, picture.label(),
                    Double.NaN, picture.hasCaption() ? "the file says nothing" : "there is no file"));
            return;
        }
        List<String> same = byText.computeIfAbsent(text.toLowerCase(Locale.ROOT), key -> new ArrayList<>());
        // One folder may be two datasets, at different resolutions.
        if (!same.contains(picture.label())) same.add(picture.label());
        length(folder, picture);
        if (!folder.regularisation() && Captions.lacks(text, folder.trigger())) {
            findings.add(Finding.of(Kind.TRIGGER_ABSENT, picture.label(), Double.NaN, "it is put in front"));
        }
    }

    private void length(FoundFolder folder, FoundPicture picture) {
        int characters = picture.caption().codePointCount(0, picture.caption().length());
        lengths.add(characters);
        OptionalInt counted = tokens.count(folder.prompt(picture));
        if (counted.isPresent()) {
            longestTokens = OptionalInt.of(Math.max(counted.getAsInt(), longestTokens.orElse(0)));
        }
        if (counted.isPresent() ? counted.getAsInt() > tokens.most() : characters > MOST) {
            findings.add(Finding.of(Kind.CAPTION_CUT, picture.label(), counted.orElse(characters),
                    counted.isPresent() ? counted.getAsInt() + " tokens" : characters + " characters"));
        } else if (characters > LONG) {
            findings.add(Finding.of(Kind.CAPTION_LONG, picture.label(), characters,
                    "%d characters; from 50 to 200 work best".formatted(characters)));
        }
    }
}
