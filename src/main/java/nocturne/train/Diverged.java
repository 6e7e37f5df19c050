package nocturne.train;

import java.util.ArrayList;
import java.util.List;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// Training left the numbers behind: the loss or its gradient is not finite, step after step.
final class Diverged {
    private static final int MOST_PICTURES = 8;

    private Diverged() {}

    /// @param first    the first of the steps that were not finite
    /// @param last     the last of them
    /// @param loss     at the last
    /// @param norm     of the gradient, at the last
    /// @param rate     the learning rate at the first
    /// @param wentBack whether the run had gone back to an earlier state before, and came here again
    /// @param pictures of the first such step
    static UserMistake at(int first, int last, double loss, double norm, double rate, boolean wentBack,
            List<String> pictures) {
        List<Problem> suspects = new ArrayList<>();
        suspects.add(new Problem("TRAINING_DIVERGED", "step " + first,
                "the loss is %s and the gradient's norm %s, from step %d to step %d%s."
                        .formatted(loss, norm, first, last, wentBack ? ", again after going back" : "")
                        + " The first suspect is the learning rate, %s there: halve train.lr and train again."
                                .formatted(rate)));
        String names = String.join(", ", pictures.subList(0, Math.min(MOST_PICTURES, pictures.size())));
        suspects.add(new Problem("TRAINING_DIVERGED", "step " + first,
                "the second suspect is what it was shown: %s. If a lower rate does not help, train without."
                        .formatted(names)));
        return new UserMistake("Training diverged at step %d; the checkpoints before it are whole.".formatted(first),
                suspects);
    }
}
