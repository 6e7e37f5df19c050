package nocturne.recipe;

import java.util.List;

/// What is said about a recipe on a card of a known class. They advise; what fits is computed by the plan.
final class CardRules {
    static final List<Rule<Evidence>> ALL = List.of(
            Rule.<Evidence>warning("S1-21", "train.batch_size")
                    .when(it -> it.hasCardBelow(80) && it.recipe().train().batchSize() > 1)
                    .says("more than one picture at once is for cards of 80 GB.")
                    .remedy("batch_size: 1 with gradient_accumulation: 4 learns alike."),
            Rule.<Evidence>notice("S2-27", "model.quantize")
                    .when(it -> it.hasCardFrom(80) && isQuantised(it))
                    .says("a card of 80 GB has room for the weights as they are; fewer bits only save time there."),
            Rule.<Evidence>notice("S2-26", "model.quantize")
                    .when(it -> it.hasCardFrom(40) && it.hasCardBelow(80) && !isQuantised(it))
                    .says("quantize: true with qtype: int8 is usual on a card of 48 GB."),
            Rule.<Evidence>notice("X-05", "model.quantize")
                    .when(it -> it.hasCardFrom(28) && it.hasCardBelow(40) && !isQuantised(it))
                    .says("quantize: true with qtype: int8 halves what the weights take, so that less is computed"
                            + " twice."),
            Rule.<Evidence>notice("X-05", "model.quantize")
                    .when(it -> it.hasCardBelow(28) && !isQuantised(it))
                    .says("quantize: true with qtype: int8 halves what the weights take; in 16 bits many blocks come"
                            + " and go, which takes longer."),
            Rule.<Evidence>notice("S1-60", "datasets[].resolution")
                    .when(it -> it.hasCardBelow(25) && largest(it) > 1024)
                    .says("on a card of 24 GB 768 or 1024 are usual."));

    private CardRules() {}

    private static boolean isQuantised(Evidence it) {
        WeightFormat format = it.recipe().model().transformerFormat();
        return format != null && format.type().isApplied();
    }

    private static int largest(Evidence it) {
        return it.recipe().datasets().stream().flatMap(dataset -> dataset.resolutions().stream())
                .mapToInt(Integer::intValue).max().orElse(0);
    }
}
