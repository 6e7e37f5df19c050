package nocturne.recipe;

import java.util.List;
import java.util.Optional;
import nocturne.quant.WeightType;

/// What is said about the number formats of frozen weights: how few bits are too few, with and without an accuracy
/// recovery adapter (ARA).
final class QuantisationRules {
    private static final String KEY = "model.qtype";
    private static final String REMEDY = "int8 or float8 lose nothing visible; uint6 is the practical floor.";

    static final List<Rule<Evidence>> ALL = List.of(
            // Where somebody wrote quantize: false, as the web interface does beside any qtype, it is meant.
            Rule.<Evidence>warning("X-05", KEY)
                    .when(it -> format(it).isEmpty() && it.isWritten(KEY) && !it.isWritten("model.quantize"))
                    .says("does nothing while model.quantize is false.").remedy("Write quantize: true."),
            Rule.<Evidence>warning("X-05", "model.qtype_te")
                    .when(it -> encoderFormat(it).isEmpty() && it.isWritten("model.qtype_te")
                            && !it.isWritten("model.quantize_te") && !it.isWritten("model.quantize"))
                    .says("does nothing while model.quantize_te is false.").remedy("Write quantize_te: true."),
            Rule.<Evidence>notice("S1-34", "model.low_vram").when(it -> it.recipe().model().lowVram())
                    .says("is not needed: the plan always keeps on the card what fits there, and lets the rest come"
                            + " and go."),
            Rule.<Evidence>warning("B7", KEY)
                    .when(it -> format(it).filter(format -> !format.type().isApplied()).isPresent())
                    .says(it -> "%s leaves weights as they are on disk, here as in ai-toolkit.".formatted(
                            format(it).orElseThrow().type().spelling()))
                    .remedy("8 bits are int8 or float8."),
            Rule.<Evidence>warning("B7", "model.qtype_te")
                    .when(it -> encoderFormat(it).filter(type -> !type.isApplied()).isPresent())
                    .says(it -> "%s leaves weights as they are on disk, here as in ai-toolkit.".formatted(
                            encoderFormat(it).orElseThrow().spelling()))
                    .remedy("8 bits are int8 or float8."),
            Rule.<Evidence>warning("S1-11", KEY).when(it -> it.isReleased() && isBare(it, 5))
                    .says("6 bits are the practical floor for good quality.").remedy(REMEDY),
            Rule.<Evidence>warning("S1-12", KEY)
                    .when(it -> isBare(it, 4) || !it.isReleased() && (isBare(it, 3) || isBare(it, 2)))
                    .says("4 bits and fewer visibly lose quality without an accuracy recovery adapter.").remedy(REMEDY),
            Rule.<Evidence>error("S1-13", KEY).butOverridable().when(it -> it.isReleased() && isBare(it, 3))
                    .says("3 bits are the last resort, and only with an accuracy recovery adapter.")
                    .remedy("Write qtype: \"uint3|adapter.safetensors\", or at least uint6."),
            Rule.<Evidence>warning("S1-13", KEY).when(it -> it.isReleased() && isRecovered(it, 3))
                    .says("3 bits never equal 8, even with an accuracy recovery adapter; they are the last resort.")
                    .remedy(REMEDY),
            Rule.<Evidence>error("S2-29", KEY).butOverridable().when(it -> it.isReleased() && isBare(it, 2))
                    .says("2 bits lose what the model knows without an accuracy recovery adapter.")
                    .remedy("Write qtype: \"uint2|adapter.safetensors\", or at least uint6."),
            Rule.<Evidence>warning("S2-29", KEY).when(it -> it.isReleased() && isRecovered(it, 2))
                    .says("2 bits lose quality even with an accuracy recovery adapter.").remedy(REMEDY),
            Rule.<Evidence>warning("S1-09", "model.qtype_te")
                    .when(it -> encoderFormat(it).filter(type -> type.isApplied() && type.bits() < 8).isPresent())
                    .says("the text encoder is gone before training begins: fewer than 8 bits gain nothing.")
                    .remedy("float8 is the recipe's."));

    private QuantisationRules() {}

    private static Optional<WeightFormat> format(Evidence it) {
        return Optional.ofNullable(it.recipe().model().transformerFormat());
    }

    private static Optional<WeightType> encoderFormat(Evidence it) {
        return Optional.ofNullable(it.recipe().model().textEncoderFormat()).map(WeightFormat::type);
    }

    private static boolean isBare(Evidence it, int bits) {
        return has(it, bits) && format(it).filter(format -> format.recovery() == null).isPresent();
    }

    private static boolean isRecovered(Evidence it, int bits) {
        return has(it, bits) && format(it).filter(format -> format.recovery() != null).isPresent();
    }

    private static boolean has(Evidence it, int bits) {
        return format(it).map(WeightFormat::type).filter(type -> type.isApplied() && type.bits() == bits).isPresent();
    }
}
