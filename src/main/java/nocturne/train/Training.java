package nocturne.train;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import nocturne.adapter.AdapterMetadata;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraTargets;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.cpu.CpuBackend;
import nocturne.dataset.CacheFolder;
import nocturne.dataset.Dataset;
import nocturne.dataset.SamplePictures;
import nocturne.event.Event;
import nocturne.event.EventLog;
import nocturne.image.PictureReader;
import nocturne.image.Resample;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.memory.MemoryPlan;
import nocturne.memory.PassShape;
import nocturne.plan.Inspection;
import nocturne.plan.Inspector;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.quant.QuantizedCache;
import nocturne.quant.WeightType;
import nocturne.qwen.EncoderLoading;
import nocturne.qwen.ModelFolder;
import nocturne.qwen.PromptTemplate;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.Residency;
import nocturne.qwen.TransformerConfig;
import nocturne.recipe.Adaptation;
import nocturne.recipe.Architecture;
import nocturne.recipe.Notice;
import nocturne.recipe.Recipe;
import nocturne.recipe.ResolvedRecipe;
import nocturne.recipe.Rung;
import nocturne.recipe.Severity;
import nocturne.recipe.ValidationRecipe;
import nocturne.recipe.WeightFormat;
import nocturne.report.RunSummary;
import nocturne.tensor.Backend;
import nocturne.tensor.Philox;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.jspecify.annotations.Nullable;

/// One training from a bundle to a folder of results: checks everything, encodes, trains, saves, samples, reports.
///
/// Started again with the same bundle, recipe and model after an interruption, it goes on from the last saved state and
/// ends in the same bytes.
public final class Training {
    private static final String PLAIN_ARITHMETIC = "float32";

    private final TrainingRequest request;
    private final Residency residency;
    private final Forecast.Device place;
    private final Bundle bundle;
    private final Forecast forecast;
    private final ResolvedRecipe resolved;
    private final Recipe recipe;
    private final ModelFolder model;
    private final FrozenWeights frozen;
    private final TransformerConfig config;
    private final Dataset dataset;
    private final @Nullable Dataset heldOut;

    private Training(TrainingRequest request, Residency residency, Forecast.Device place, Bundle bundle,
            ModelFolder model, Forecast forecast) {
        this.request = request;
        this.residency = residency;
        this.place = place;
        this.bundle = bundle;
        this.model = model;
        this.forecast = forecast;
        this.resolved = forecast.found().resolved();
        this.recipe = resolved.recipe();
        this.config = model.transformerConfig();
        this.frozen = frozen(forecast.found(), model);
        this.dataset = forecast.found().training();
        this.heldOut = forecast.found().heldOut();
    }

    /// Trains, and returns when the results are complete or the run was asked to stop.
    ///
    /// @return whether the run is complete; if not, it can be resumed
    /// @throws UserMistake with everything that is wrong about bundle, recipe, pictures, model or output folder
    public static boolean run(TrainingRequest request) {
        return run(request, CpuBackend::new);
    }

    /// The same on another device.
    ///
    /// @param device makes the backend for a number of threads; it is closed at the end
    public static boolean run(TrainingRequest request, IntFunction<Backend> device) {
        return run(request, device, Residency.ALL, MemoryBudget.FREE);
    }

    /// The same within so much of the device's memory: what stays there of the model, and what blocks keep, follows
    /// from that.
    ///
    /// @throws UserMistake `DEVICE_TOO_SMALL`, too
    public static boolean run(TrainingRequest request, IntFunction<Backend> device, MemoryBudget memory) {
        return run(request, device, Residency.ALL, memory);
    }

    /// The same where just this stays of the model.
    static boolean run(TrainingRequest request, IntFunction<Backend> device, Residency residency) {
        return run(request, device, residency, MemoryBudget.FREE);
    }

    private static boolean run(TrainingRequest request, IntFunction<Backend> device, Residency residency,
            MemoryBudget memory) {
        Path out = outputFolder(request);
        try (Heartbeat heartbeat = request.supervised() ? Heartbeat.in(out) : Heartbeat.none()) {
            Inspector bundle = inspector(request, out);
            // What is wrong with it is told before a device is asked for.
            Inspection asked = bundle.inspect(Adaptation.NONE);
            ModelFolder model = ModelFolder.open(asked.model());
            try (Backend backend = device.apply(request.threads());
                    JobFolder folder = JobFolder.open(out, asked.resolved().recipe().name(),
                            fingerprint(asked, model, backend))) {
                if (folder.isCompleted()) {
                    request.console().println("Already complete: " + folder.root());
                    return true;
                }
                try (EventLog events = EventLog.open(folder.root().resolve("events.jsonl"), folder.id(),
                        "/nocturne/train", InstantSource.system())) {
                    return announcingFailure(folder, events, () -> {
                        Forecast.Device place = device(backend, residency, memory);
                        Forecast forecast =
                                Forecaster.ofRun(bundle, asked, model, request.cacheFolder(), place, folder);
                        return new Training(request, residency, place, bundle.bundle(), model, forecast)
                                .run(folder, events, backend, heartbeat);
                    });
                }
            }
        }
    }

    private static Inspector inspector(TrainingRequest request, Path out) {
        Path source = request.bundle().toAbsolutePath().normalize();
        Bundle bundle = Bundle.open(source, request.home().resolve("work/bundles"), BundleLimits.STANDARD);
        if (out.startsWith(bundle.root())) {
            throw new UserMistake("OUTPUT_IN_BUNDLE", out.toString(),
                    "lies inside the bundle, which would then change while it is trained; choose another --out.");
        }
        // Not the folder's name: that of an unpacked zip is a hash.
        Path asked = request.model();
        return new Inspector(bundle, name(request), asked == null ? null : asked.toString(), request.models());
    }

    /// What stays of the model is said, so there is no budget to keep.
    private static Forecast.Device device(Backend backend, Residency residency, MemoryBudget memory) {
        return residency.equals(Residency.ALL) ? Forecast.Device.of(backend, memory)
                : Forecast.Device.processor(backend.name(), backend::rehearsal);
    }

    private static FrozenWeights frozen(Inspection found, ModelFolder model) {
        return FrozenWeights.of(found.resolved().recipe().model(), found.recovery(), model.transformerConfig(),
                model.storedFormats());
    }

    /// The values of the resolved recipe that decide results: not where the model lies, for what it is stands in the
    /// fingerprint by content, nor how much memory is used; and not the words beside them.
    private static String recipeWithoutPlaces(ResolvedRecipe resolved) {
        return resolved.yaml().lines()
                .filter(line -> !line.strip().startsWith("name_or_path:"))
                .filter(line -> !line.startsWith("vram_limit:") && !line.startsWith("on_oom:"))
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.contains(" # ") ? line.substring(0, line.lastIndexOf(" # ")).stripTrailing() : line)
                .collect(Collectors.joining("\n"));
    }

    private static Path outputFolder(TrainingRequest request) {
        Path asked = request.out();
        if (asked != null) return asked.toAbsolutePath().normalize();
        return request.home().resolve("outbox").resolve(fileName(request));
    }

    /// What the bundle is called by the person who made it.
    private static String name(TrainingRequest request) {
        String told = request.name();
        return told == null ? fileName(request) : told;
    }

    private static String fileName(TrainingRequest request) {
        Path source = request.bundle().toAbsolutePath().normalize();
        return String.valueOf(source.getFileName()).replaceFirst("(?i)\\.zip$", "");
    }

    /// Of everything that decides the run's numbers but for their last bits.
    private static String fingerprint(Inspection found, ModelFolder model, Backend backend) {
        ContentHash content = new ContentHash()
                .add(found.bundle().contentHash())
                .add(recipeWithoutPlaces(found.resolved()))
                .add(model.identity("transformer", "vae", "text_encoder", "tokenizer", "scheduler"));
        FrozenWeights frozen = frozen(found, model);
        if (frozen.recovery() != null) content.add(frozen.recoveryHash());
        // Not for the processor, so that runs go on that were begun before there were other devices.
        if (!backend.arithmetic().equals(PLAIN_ARITHMETIC)) content.add(backend.arithmetic());
        return content.hex();
    }

    /// Whoever follows the events hears of a failure too, where the log can still be written.
    private static boolean announcingFailure(JobFolder folder, EventLog events, BooleanSupplier run) {
        try {
            return run.getAsBoolean();
        } catch (RuntimeException | Error failure) {
            try {
                folder.giveUpReserve();
                events.append(Event.Failed.of(failure));
            } catch (SickMachine alsoFailed) {
                failure.addSuppressed(alsoFailed);
            }
            throw failure;
        }
    }

    private boolean run(JobFolder folder, EventLog events, Backend backend, Heartbeat heartbeat) {
        AtomicFiles.writeString(folder.root().resolve("recipe.resolved.yaml"), resolved.yaml());
        DatasetPapers.write(folder.root(), recipe.name(), "Nocturne " + request.version(), forecast.pictures(),
                dataset, heldOut);
        List<Notice> notices = notices(backend.keepsCodes());
        for (String notice : backend.notices()) notices.add(plain(notice));
        if (events.attempt() == 1) {
            events.append(new Event.Started(recipe.name(), recipe.train().steps(), dataset.samples().size(),
                    backend.name()));
            for (Notice notice : notices) {
                events.append(new Event.NoticeGiven(notice.code(), notice.toString(), notice.severity().word()));
            }
        }
        events.append(new Event.Planned(forecast.memory().toString(), forecast.memory().peakBytes(),
                forecast.disk().bytes(), Math.round(forecast.seconds().orElse(0)),
                forecast.device().rungs().stream().map(Rung::toString).toList()));
        Workloads workloads = new Workloads(recipe, model, config, frozen, Settings.layout(recipe, config));
        OptionalLong budget = place.budget(recipe.vramLimit());
        try (TensorArena trained = backend.newArena(); TensorArena weights = backend.newArena();
                TensorArena passes = backend.newArena();
                Encoders encoders = new Encoders(
                        model, backend, new CacheFolder(request.cacheFolder()), textLoading(events))) {
            if (budget.isPresent()) {
                trained.reserve(forecast.memory().trainedBytes());
                encoders.expectAutoencoder(forecast.memory().autoencoderBytes());
            }
            Lora lora = new Lora(workloads.layout(), recipe.network().alpha(), backend, trained);
            initialise(lora, backend);
            AdamWOptimizer optimizer = new AdamWOptimizer(
                    Settings.optimizer(recipe), Settings.moments(recipe, lora, backend, trained), backend);
            MovingAverage average = recipe.train().ema().on()
                    ? new MovingAverage(recipe.train().ema().decay(), recipe.train().ema().biasCorrection(),
                            lora.values(), backend, trained)
                    : null;
            Snapshots snapshots = new Snapshots(
                    folder.state(), fingerprint(forecast.found(), model, backend), request.threads(),
                    state(lora, optimizer, average), backend);
            Snapshots.Restored restored = snapshots.restore(folder.savedStep());
            int done = restored.step();
            RunTime time = new RunTime(restored.elapsed(), request.timeLimit(), System::nanoTime);
            try (Progress progress = new Progress(request.console(), terminal(), recipe.train().steps(), done,
                    System::nanoTime, Progress::residentBytes)) {
                for (Notice notice : notices) progress.say((notice.isWarning() ? "warning: " : "note: ") + notice);
                for (Snapshots.Rejected rejected : restored.rejected()) {
                    events.append(
                            new Event.CheckpointRejected(rejected.step(), rejected.file(), rejected.reason()));
                    progress.say("note: %s %s; going on from an earlier state"
                            .formatted(rejected.file(), rejected.reason()));
                    snapshots.discard(rejected);
                }
                if (events.attempt() > 1) {
                    events.append(new Event.Resumed(done, "the run before was interrupted"));
                    progress.say("going on after step " + done);
                    if (restored.isThere() && restored.threads() != request.threads()) {
                        String notice = "the run before used %d threads, this one uses %d: the last bits may differ;"
                                .formatted(restored.threads(), request.threads())
                                + " --threads %d gives the same bytes".formatted(restored.threads());
                        events.append(new Event.NoticeGiven("THREADS_CHANGED", notice));
                        progress.say("note: " + notice);
                    }
                }
                if (events.attempt() > 1 && restored.isOfAnother(backend)) {
                    String notice = "the run before was on %s, this one is on %s: the last bits may differ"
                            .formatted(restored.device(), backend.name());
                    events.append(new Event.NoticeGiven("DEVICE_CHANGED", notice));
                    progress.say("note: " + notice);
                }
                TrainingLoop loop = loop(folder, events, backend, weights, passes, encoders, workloads, budget, lora,
                        optimizer, average, snapshots, progress, heartbeat, time, restored, notices);
                folder.note("running", done, recipe.train().steps());
                // Not sooner: until here a process that ends at once loses nothing.
                request.stop().workBegins();
                TrainingLoop.Outcome outcome = loop.run(done, request.stop());
                if (!outcome.completed()) {
                    progress.say("stopped after step %d; the same command goes on from here".formatted(outcome.step()));
                    return false;
                }
                heartbeat.phase(Heartbeat.Phase.SAVING);
                for (String notice : outcome.notices()) notices.add(plain(notice));
                Results results =
                        new Results(folder, resolved, dataset, backend.name(), request.version(), notices);
                RunSummary published = results.publish(outcome.saved(), loop.heldOutLosses(), loop.gallery(), lora,
                        events, time.soFar());
                if (!results.probe(published, loop.parts(), backend, config, bundle.root(), request.stop())) {
                    folder.note("interrupted", outcome.step(), recipe.train().steps());
                    progress.say("stopped while the grid was drawn; the same command goes on from here");
                    return false;
                }
                results.complete(outcome.saved(), events);
                folder.note("completed", outcome.step(), recipe.train().steps());
                progress.secondsPerStep().ifPresent(seconds -> notePace(backend, workloads, seconds));
                progress.say("done: " + folder.root());
                return true;
            }
        }
    }

    /// For the forecasts of later jobs.
    private void notePace(Backend backend, Workloads workloads, double secondsPerStep) {
        Workloads.Tokens tokens = Workloads.Tokens.expected(
                recipe, dataset, heldOut, new TextLengths(new TokensOfModel(model)));
        PassShape batch = workloads.of(dataset, heldOut, tokens).training();
        new PastPace(request.cacheFolder()).note(
                backend.name(), WorkNeed.update(recipe, config, batch) / secondsPerStep);
    }

    private Progress.Terminal terminal() {
        return request.supervised() ? Progress.Terminal.PLAIN : Progress.Terminal.here();
    }

    private static Notice plain(String text) {
        return new Notice("NOTICE", Severity.NOTICE, "", text);
    }

    private List<Notice> notices(boolean keepsCodes) {
        List<String> notices = new ArrayList<>(frozen.notices(keepsCodes));
        WeightType textFormat = textFormat();
        if (textFormat != null) {
            notices.add(("model.quantize_te: the text encoder has the numbers of %s, in all linear layers of its"
                    + " language model and its vision tower.").formatted(textFormat.spelling()));
        }
        boolean named2511 = recipe.model().architecture() == Architecture.QWEN_IMAGE_EDIT_2511;
        if (named2511 != config.zeroCondT()) {
            notices.add(("model.arch: %s, but the model's own zero_cond_t is %s, which is what is computed; only the"
                    + " model of 2511 has it.").formatted(
                            recipe.model().architecture().spelling(), config.zeroCondT()));
        }
        if (heldOut != null && dataset.samples().stream().anyMatch(sample -> !sample.controls().isEmpty())) {
            notices.add("the held-out pictures are measured without control pictures; their loss says little about"
                    + " edits.");
        }
        List<Notice> all = new ArrayList<>(forecast.notices());
        for (String notice : notices) all.add(plain(notice));
        return all;
    }

    private @Nullable WeightType textFormat() {
        WeightFormat asked = recipe.model().textEncoderFormat();
        return asked == null || !asked.type().isApplied() ? null : asked.type();
    }

    private EncoderLoading textLoading(EventLog events) {
        WeightType format = textFormat();
        if (format == null) return EncoderLoading.PLAIN;
        return new EncoderLoading(format, new QuantizedCache(weightFolder(), model.identity("text_encoder"),
                notice -> events.append(new Event.NoticeGiven("WEIGHTS", notice))));
    }

    /// Where quantised weights are kept for the next start.
    private Path weightFolder() {
        return request.cacheFolder().resolve("weights");
    }

    private void initialise(Lora lora, Backend backend) {
        float[] values =
                Lora.initialValues(lora.layout(), Philox.stream(recipe.seed(), "adapter").asGenerator(0));
        String startFrom = recipe.network().startFrom();
        if (startFrom != null) {
            StartingAdapter.put(bundle.root().resolve(startFrom), LoraTargets.of(config.layers(), config.width()),
                    lora, values);
        }
        backend.write(values, lora.values());
    }

    private static SequencedMap<String, Tensor> state(
            Lora lora, AdamWOptimizer optimizer, @Nullable MovingAverage average) {
        SequencedMap<String, Tensor> state = new LinkedHashMap<>();
        state.put("parameters", lora.values());
        state.putAll(optimizer.state());
        if (average != null) state.put("average", average.values());
        return state;
    }

    private TrainingLoop loop(JobFolder folder, EventLog events, Backend backend, TensorArena weights,
            TensorArena passes, Encoders encoders, Workloads workloads, OptionalLong budget, Lora lora,
            AdamWOptimizer optimizer, @Nullable MovingAverage average, Snapshots snapshots, Progress progress,
            Heartbeat heartbeat, RunTime time,
            Snapshots.Restored restored, List<Notice> notices) {
        heartbeat.step(restored.step(), recipe.train().steps());
        heartbeat.phase(Heartbeat.Phase.CACHING);
        SamplePictures pictures = new SamplePictures(PictureReader.standard(), (picture, width, height) ->
                Resample.pillow(picture, width, height, Resample.Filter.LANCZOS, Resample.Order.HORIZONTAL_FIRST));
        PromptTemplate editTemplate = Settings.editTemplate(recipe);
        Examples examples = new Examples(
                encoders, pictures, editTemplate, recipe.model().matchTargetResolution());
        Examples.Progress caching = (what, part, total) -> {
            progress.doing(what, part, total);
            heartbeat.worked();
            if (part == total) events.append(new Event.Preparing(what, part, total));
        };
        List<Example> training = examples.of(dataset, caching);
        ValidationRecipe validation = recipe.train().validation();
        List<Example> kept = heldOut == null ? List.of() : examples.of(heldOut, caching);
        HeldOut measure = heldOut == null || validation == null
                ? null
                : new HeldOut(kept, validation.sigmas(), recipe.seed());
        Studio studio = new Studio(recipe.drawn(), bundle.root(), encoders, editTemplate,
                recipe.model().matchTargetResolution(), model.schedule(), backend, passes);
        Gallery gallery = new Gallery(folder.samples(), recipe.name(), recipe.sample().format(), studio,
                recipe.sample().prompts().size());
        encoders.releasePromptEncoders();
        if (studio.size() == 0) encoders.releaseAutoencoder();
        CacheFolder.Statistics cache = encoders.statistics();
        progress.say("encoded: %d new, %d from the cache%s".formatted(cache.misses(), cache.hits(),
                cache.rebuilt() == 0 ? "" : ", %d damaged and made again".formatted(cache.rebuilt())));

        heartbeat.phase(Heartbeat.Phase.LOADING);
        Supplier<MemoryPlan> exact = () -> MemoryPlan.within(budget.orElseThrow(),
                workloads.of(dataset, heldOut, Workloads.Tokens.of(recipe, training, kept, studio)),
                backend::rehearsal);
        Optional<MemoryPlan> plan = budget.isEmpty() ? Optional.empty()
                : Optional.of(restored.isThere() ? Forecaster.asItBegan(backend.name(), exact) : exact.get());
        plan.ifPresent(made -> {
            events.append(new Event.NoticeGiven("MEMORY", made.toString()));
            progress.say("memory: " + made);
            weights.reserve(made.weightBytes());
        });
        QwenImageTransformer base = frozen.load(model, weightFolder(), notice -> {
            events.append(new Event.NoticeGiven("WEIGHTS", notice));
            progress.say("note: " + notice);
        }, plan.map(MemoryPlan::residency).orElse(residency), backend, weights);
        plan.ifPresent(made -> passes.reserve(made.workBytes()));
        Tape.Keep asked = recipe.train().gradientCheckpointing() ? Tape.Keep.INPUTS : Tape.Keep.ALL;
        IntFunction<Tape.Keep> keep = plan.isPresent() ? plan.get().activations() : block -> asked;
        Learner learner = new Learner(base, lora, keep, Settings.loss(recipe), backend, passes);
        Batches batches = new Batches(dataset.samples(), training, recipe.train().batchSize(),
                recipe.train().accumulation(), Settings.timesteps(recipe, model.schedule()), recipe.seed());
        List<MicroBatch> first = IntStream.range(0, EightBitCheck.BATCHES).mapToObj(batches::microBatch).toList();
        for (String notice : EightBitCheck.of(base, learner, first, backend)) {
            if (restored.step() == 0) events.append(new Event.NoticeGiven("EIGHT_BIT_PRODUCTS", notice));
            progress.say("note: " + notice);
            notices.add(plain(notice));
        }
        int stepsPerEpoch = Math.max(1, batches.perEpoch() / recipe.train().accumulation());
        Checkpoints checkpoints =
                new Checkpoints(folder.root(), recipe, lora, backend, metadata(folder), stepsPerEpoch);
        return new TrainingLoop(new TrainingLoop.Parts(recipe, base, lora, learner, optimizer, average,
                Settings.learningRate(recipe), batches, measure, gallery, checkpoints, snapshots, folder, events,
                progress, heartbeat, time), restored.health(), checkpoints.upTo(restored.step()));
    }

    private AdapterMetadata metadata(JobFolder folder) {
        Path name = model.root().getFileName();
        String baseModel = recipe.model().isReleased() ? recipe.model().nameOrPath() : String.valueOf(name);
        Map<String, String> provenance = Checkpoints.provenance(
                folder.id(), bundle.contentHash(),
                ContentHash.ofBytes(recipeWithoutPlaces(resolved).getBytes(StandardCharsets.UTF_8)));
        return new AdapterMetadata(recipe.name(), recipe.triggerWord(), baseModel, Settings.family(recipe),
                Settings.training(recipe, dataset), request.version(), provenance);
    }
}
