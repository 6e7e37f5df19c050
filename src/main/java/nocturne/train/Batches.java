package nocturne.train;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import nocturne.dataset.DataOrder;
import nocturne.dataset.Sample;
import nocturne.qwen.PromptEmbedding;
import nocturne.tensor.Philox;

/// Makes micro-batches: which samples, how noisy, with which noise. All of it is a function of the seed and the
/// micro-batch's number, so that a resumed run makes the same ones.
///
/// Where there are regularisation samples, every second step trains on them alone, as in ai-toolkit.
final class Batches {
    private final List<Sample> samples;
    private final List<Example> examples;
    private final List<Deal> deals;
    private final TimestepSampling timesteps;
    private final long seed;
    private final int accumulation;

    /// Some of the examples in an order of their own.
    ///
    /// @param positions where the ordered samples lie among all examples
    private record Deal(DataOrder order, List<Integer> positions) {}

    /// @param samples      of the dataset; `examples` are the same in the same order
    /// @param accumulation micro-batches in a step
    Batches(List<Sample> samples, List<Example> examples, int batchSize, int accumulation, TimestepSampling timesteps,
            long seed) {
        this.samples = samples;
        this.examples = examples;
        this.timesteps = timesteps;
        this.seed = seed;
        this.accumulation = accumulation;
        deals = Stream.of(false, true)
                .map(regularisation -> IntStream.range(0, samples.size())
                        .filter(i -> samples.get(i).regularisation() == regularisation).boxed().toList())
                .filter(positions -> !positions.isEmpty())
                .map(positions -> new Deal(
                        new DataOrder(positions.stream().map(samples::get).toList(), batchSize, seed), positions))
                .toList();
    }

    /// Micro-batches after which every training sample has been shown as often as its repeats say.
    int perEpoch() {
        return deals.getFirst().order.batchesPerEpoch();
    }

    /// Which samples a micro-batch is made of.
    private List<Integer> chosenPositions(long number) {
        long step = number / accumulation;
        Deal deal = deals.get((int) (step % deals.size()));
        // Each deal counts the micro-batches of its own steps only.
        long own = step / deals.size() * accumulation + number % accumulation;
        return deal.order.batch(own).stream().map(deal.positions::get).toList();
    }

    private List<Example> chosen(long number) {
        return chosenPositions(number).stream().map(examples::get).toList();
    }

    /// The names of the files whose pictures are in a micro-batch.
    List<String> pictures(long number) {
        return chosenPositions(number).stream()
                .map(i -> String.valueOf(samples.get(i).picture().file().getFileName())).distinct().toList();
    }

    /// @param number counted from 0 over the whole run, accumulation included
    MicroBatch microBatch(long number) {
        List<Example> batch = chosen(number);
        List<Timestep> levels = timesteps.draw(
                Philox.stream(seed, "timesteps", number), batch.size(), batch.getFirst().grids().getFirst().tokens());
        Philox dropout = Philox.stream(seed, "caption dropout", number);
        List<PromptEmbedding> prompts = IntStream.range(0, batch.size())
                .mapToObj(b -> dropout.uniform(b) < batch.get(b).captionDropout()
                        ? batch.get(b).emptyPrompt()
                        : batch.get(b).prompt())
                .toList();
        float[] sigmas = new float[batch.size()];
        float[] weights = new float[batch.size()];
        for (int b = 0; b < batch.size(); b++) {
            sigmas[b] = levels.get(b).t();
            weights[b] = (float) (levels.get(b).lossWeight() * batch.get(b).lossMultiplier());
        }
        return assemble(batch, prompts, Philox.stream(seed, "noise", number), sigmas, weights);
    }

    /// The noise level that follows each sample's in a short schedule, for [TimestepType#NEXT_SAMPLE].
    float[] following(long number) {
        List<Example> batch = chosen(number);
        int tokens = batch.getFirst().grids().getFirst().tokens();
        List<Timestep> levels = timesteps.draw(Philox.stream(seed, "timesteps", number), batch.size(), tokens);
        float[] following = new float[batch.size()];
        for (int b = 0; b < following.length; b++) following[b] = timesteps.following(levels.get(b), tokens);
        return following;
    }

    /// The noise levels that the model is given in some micro-batches from one on, and in the steps ahead between them.
    float[] levels(long first, int count) {
        List<Float> levels = new ArrayList<>();
        for (long number = first; number < first + count; number++) {
            List<Example> batch = chosen(number);
            int tokens = batch.getFirst().grids().getFirst().tokens();
            for (Timestep level : timesteps.draw(Philox.stream(seed, "timesteps", number), batch.size(), tokens)) {
                levels.add(level.t());
                if (stepsAhead()) levels.add(timesteps.following(level, tokens));
            }
        }
        float[] all = new float[levels.size()];
        for (int i = 0; i < all.length; i++) all[i] = levels.get(i);
        return all;
    }

    boolean stepsAhead() {
        return timesteps.type() == TimestepType.NEXT_SAMPLE;
    }

    /// Stacks samples of one size, their prompts padded to the longest.
    ///
    /// @param noise the stream that all samples' noise is read from, one after another
    static MicroBatch assemble(List<Example> batch, List<PromptEmbedding> prompts, Philox noise, float[] sigmas,
            float[] weights) {
        float[] latents = Examples.joined(batch.stream().map(Example::latents).toList());
        float[] controls = Examples.joined(batch.stream().map(Example::controls).toList());
        float[] noises = new float[latents.length];
        noise.fillNormal(noises, 0);
        int longest = prompts.stream().mapToInt(PromptEmbedding::tokens).max().orElseThrow();
        int width = prompts.getFirst().width();
        float[] text = new float[prompts.size() * longest * width];
        int[] lengths = new int[prompts.size()];
        for (int b = 0; b < lengths.length; b++) {
            lengths[b] = prompts.get(b).tokens();
            System.arraycopy(prompts.get(b).rows(), 0, text, b * longest * width, lengths[b] * width);
        }
        return new MicroBatch(latents, noises, controls, text, lengths, sigmas, weights, batch.getFirst().grids());
    }
}
