package nocturne.recipe;

import nocturne.quant.WeightType;

/// What a recipe leaves open and the class of the card decides: the format of frozen weights.
///
/// From 80 GB on they stay as they are. Below, 16 bits would have to come and go in every step; 8 bits are one class of
/// quality, of which the guides name int8 for 48 GB and float8 for less.
final class CardDefaults {
    private static final int ROOM_FOR_16_BITS = 80;
    private static final int ROOM_FOR_8_BITS = 40;
    private static final String BASIS = "X-05";

    private CardDefaults() {}

    /// @param gib class of the card, such as 24
    static void apply(Section root, int gib) {
        Section model = root.child(ModelKeys.BLOCK);
        // A format beside which quantize is missing was told to do nothing, whatever the card.
        boolean isWritten = model.isWritten(ModelKeys.QUANTIZE) || model.isWritten(ModelKeys.QTYPE)
                || model.isWritten(ModelKeys.RECOVERY);
        if (gib >= ROOM_FOR_16_BITS || isWritten) return;
        // About other models the guides say nothing.
        if (!ModelRecipe.isReleased(model.get(ModelKeys.NAME_OR_PATH))) return;
        Origin profile = new Origin.Profile(gib, BASIS);
        model.set(ModelKeys.QUANTIZE, true, profile);
        if (gib >= ROOM_FOR_8_BITS) {
            model.set(ModelKeys.QTYPE, new WeightFormat(WeightType.INT8, null), profile);
        }
    }
}
