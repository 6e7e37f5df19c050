package nocturne.train;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// Something that happened to a job. [EventLog] gives it its place, time and envelope.
///
/// Steps count optimizer updates from 1. Paths are relative to the job's output folder, with `/`. Prompts, captions
/// and pictures never stand in an event, because events travel further than the job's folder does.
public sealed interface Event {

    /// The job was understood and begins.
    ///
    /// @param name     as the user knows the job
    /// @param steps    how many updates are planned
    /// @param pictures how many pictures it trains on
    /// @param device   what it runs on, such as `cpu`
    record Accepted(String name, long steps, int pictures, String device) implements Event {}

    /// An earlier run of the job was interrupted; it goes on after `step`. Steps announced beyond it will be repeated.
    record Resumed(long step, String reason) implements Event {}

    /// @param what such as `latents` or `text embeddings`
    record CacheProgress(String what, long done, long total) implements Event {}

    /// One update was made.
    ///
    /// @param loss         of this step, not smoothed
    /// @param gradientNorm before clipping
    record StepDone(long step, long steps, double loss, double learningRate, double gradientNorm,
                    double secondsPerStep) implements Event {}

    /// The loss on pictures kept out of training, after `step` updates.
    record HeldOutMeasured(long step, double loss) implements Event {}

    /// @param prompt which prompt, counted from 0; not its text
    record SampleCreated(long step, int prompt, String path, String sha256) implements Event {}

    /// The checkpoint is complete under its final name.
    ///
    /// @param trainingLoss smoothed
    /// @param heldOutLoss  NaN if not measured
    record CheckpointCreated(long step, String path, long bytes, String sha256, double trainingLoss,
                             double heldOutLoss) implements Event {}

    /// All is done and visible in the output folder.
    ///
    /// @param path      the final adapter
    /// @param finalLoss smoothed
    /// @param report    path of `report.html`
    record Completed(long step, String path, String sha256, double finalLoss, String report) implements Event {}

    /// The attempt ended without a result; what it saved is still there, to be gone on from.
    record Failed(String code, String message, List<Problem> problems) implements Event {
        public Failed {
            problems = List.copyOf(problems);
        }

        /// What went wrong, in the kind it is of.
        static Failed of(Throwable failure) {
            return switch (failure) {
                case UserMistake mistake ->
                    new Failed(mistake.problems().getFirst().code(), mistake.getMessage(), mistake.problems());
                case SickMachine machine ->
                    new Failed(machine.code(), String.valueOf(machine.getMessage()), List.of());
                default -> new Failed("BUG", failure.toString(), List.of());
            };
        }
    }

    /// Something the user should know that stops nothing.
    record NoticeGiven(String code, String message) implements Event {}

    /// The CloudEvents `type`.
    default String type() {
        return "nocturne." + switch (this) {
            case Accepted _ -> "accepted";
            case Resumed _ -> "resumed";
            case CacheProgress _ -> "cache.progress";
            case StepDone _ -> "step";
            case HeldOutMeasured _ -> "heldout.measured";
            case SampleCreated _ -> "sample.created";
            case CheckpointCreated _ -> "checkpoint.created";
            case Completed _ -> "completed";
            case Failed _ -> "failed";
            case NoticeGiven _ -> "notice";
        };
    }

    /// Whether the job is in another state from here on: such an event is on the disk before anybody hears of it.
    /// The others may be lost in a power cut without harm.
    default boolean changesState() {
        return switch (this) {
            case Accepted _, Resumed _, CheckpointCreated _, Completed _, Failed _ -> true;
            case CacheProgress _, StepDone _, HeldOutMeasured _, SampleCreated _, NoticeGiven _ -> false;
        };
    }

    /// The CloudEvents `data`, its keys always in this order. JSON has no NaN: what is not finite becomes null.
    default ObjectNode data() {
        ObjectNode data = JsonNodeFactory.instance.objectNode();
        switch (this) {
            case Accepted event -> data.put("name", event.name()).put("steps", event.steps())
                    .put("pictures", event.pictures()).put("device", event.device());
            case Resumed event -> data.put("step", event.step()).put("reason", event.reason());
            case CacheProgress event -> data.put("what", event.what()).put("done", event.done())
                    .put("total", event.total());
            case StepDone event -> data.put("step", event.step()).put("steps", event.steps())
                    .put("loss", finite(event.loss())).put("learningRate", finite(event.learningRate()))
                    .put("gradientNorm", finite(event.gradientNorm()))
                    .put("secondsPerStep", finite(event.secondsPerStep()));
            case HeldOutMeasured event -> data.put("step", event.step()).put("loss", finite(event.loss()));
            case SampleCreated event -> data.put("step", event.step()).put("prompt", event.prompt())
                    .put("path", event.path()).put("sha256", event.sha256());
            case CheckpointCreated event -> data.put("step", event.step()).put("path", event.path())
                    .put("bytes", event.bytes()).put("sha256", event.sha256())
                    .put("trainingLoss", finite(event.trainingLoss()))
                    .put("heldOutLoss", finite(event.heldOutLoss()));
            case Completed event -> data.put("step", event.step()).put("path", event.path())
                    .put("sha256", event.sha256()).put("finalLoss", finite(event.finalLoss()))
                    .put("report", event.report());
            case Failed event -> {
                data.put("code", event.code()).put("message", event.message());
                var problems = data.putArray("problems");
                for (Problem problem : event.problems()) {
                    problems.addObject().put("code", problem.code()).put("where", problem.where())
                            .put("what", problem.what());
                }
            }
            case NoticeGiven event -> data.put("code", event.code()).put("message", event.message());
        }
        return data;
    }

    private static @Nullable Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }
}
