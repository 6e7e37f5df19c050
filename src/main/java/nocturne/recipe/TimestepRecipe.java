package nocturne.recipe;

/// How noise levels are drawn.
///
/// @param least first entry of the 1000 levels that may be drawn; 0 is pure noise
/// @param most  end of the window, above `least`, at most 999
public record TimestepRecipe(TimestepType type, TimestepBias bias, int least, int most) {
    public TimestepRecipe {
        Require.that(least >= 0 && least < most && most <= 999, "0 <= least < most <= 999", least + ", " + most);
    }
}
