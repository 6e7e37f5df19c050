package nocturne.train;

import java.util.List;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// Training left the numbers behind: the loss or its gradient is no longer finite.
final class Diverged {
    private Diverged() {}

    static UserMistake at(int step, double loss, double norm) {
        return new UserMistake("Training diverged at step %d; the checkpoints before it are whole.".formatted(step),
                List.of(new Problem("TRAINING_DIVERGED", "step " + step,
                        "the loss is %s and the gradient's norm %s. Halve the learning rate (train.lr) and train again."
                                .formatted(loss, norm))));
    }
}
