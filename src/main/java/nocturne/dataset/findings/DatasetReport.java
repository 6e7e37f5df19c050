package nocturne.dataset.findings;

import java.util.List;
import java.util.OptionalInt;

/// What is to be known about the pictures and captions of a run, in numbers and findings. [DatasetJson] writes it for
/// machines.
///
/// @param pictures different files of all folders
/// @param lookedAt how many of them were looked at, and not just measured
/// @param findings by kind, then by name
public record DatasetReport(int pictures, int lookedAt, RunLength length, List<Folder> folders, List<Bucket> buckets,
        CaptionLengths captions, List<Finding> findings) {
    /// What a folder is for.
    public enum Role { TRAINING, REGULARISATION, HELD_OUT }

    /// @param copies      of each picture at each resolution, more than 1 where it is flipped
    /// @param resolutions sides of squares, in pixels
    /// @param visits      samples of one epoch
    public record Folder(String name, Role role, int pictures, int repeats, int copies, List<Integer> resolutions,
            long visits) {
        public Folder {
            resolutions = List.copyOf(resolutions);
        }
    }

    /// Pictures trained at one size.
    ///
    /// @param visits  samples of one epoch
    /// @param cropped share of the pictures' area that is cut away, the mean over the pictures
    public record Bucket(int width, int height, int pictures, long visits, double cropped) {}

    /// Of the captions that say something, in characters as the files have them.
    ///
    /// @param missing       pictures without a caption file
    /// @param empty         pictures whose caption file says nothing
    /// @param longestTokens of the model's text encoder, where it is at hand
    public record CaptionLengths(int written, int missing, int empty, int shortest, int median, int longest,
            OptionalInt longestTokens) {}

    public DatasetReport {
        folders = List.copyOf(folders);
        buckets = List.copyOf(buckets);
        findings = List.copyOf(findings);
    }

    public List<Finding> findings(Finding.Kind kind) {
        return findings.stream().filter(finding -> finding.kind() == kind).toList();
    }
}
