package nocturne.train;

/// How the numbers have kept so far. It decides what becomes of the next step that is not finite, so it is saved with
/// the rest of the state.
///
/// @param sound    the last step whose loss and gradient were finite; 0 before the first
/// @param skipped  updates that were left out so far
/// @param wentBack whether the run has gone back to an earlier state already, which it does once
record Health(int sound, int skipped, boolean wentBack) {
    /// So many steps in a row that are not finite are no accident of one picture.
    private static final int MOST_IN_A_ROW = 10;

    /// Before the first step.
    static final Health UNTRIED = new Health(0, 0, false);

    /// The loss and the gradient of this step were finite.
    Health afterSound(int step) {
        return new Health(step, skipped, wentBack);
    }

    /// They were not, and the update was left out.
    Health afterSkipped() {
        return new Health(sound, skipped + 1, wentBack);
    }

    Health havingGoneBack() {
        return new Health(sound, skipped, true);
    }

    /// How many updates have been left out one after another, after this step.
    int inARow(int step) {
        return step - sound;
    }

    boolean isLost(int step) {
        return inARow(step) >= MOST_IN_A_ROW;
    }

    /// How many updates have been made, after this step.
    int updates(int step) {
        return step - skipped;
    }

    /// Worth a line of its own: the first few, and then now and then.
    boolean isWorthTelling() {
        return skipped <= 20 || skipped % 100 == 0;
    }
}
