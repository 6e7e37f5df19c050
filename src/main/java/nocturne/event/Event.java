package nocturne.event;

import com.fasterxml.jackson.databind.node.ArrayNode;
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

    /// The input was refused; nothing was trained.
    record Rejected(String name, List<Problem> problems) implements Event {
        public Rejected {
            problems = List.copyOf(problems);
        }
    }

    /// The job was understood, is ours, and waits for a device.
    ///
    /// @param name        as the user knows the job
    /// @param origin      where it came from, such as `inbox:maya.zip` or `kafka:nocturne.jobs/3@17`
    /// @param contentHash of the bundle, SHA-256
    /// @param steps       how many updates are planned
    /// @param pictures    how many pictures it trains on
    record Queued(String name, String origin, String contentHash, long steps, int pictures) implements Event {}

    /// An attempt begins.
    ///
    /// @param device what it runs on, such as `cpu`
    record Started(String name, long steps, int pictures, String device) implements Event {}

    /// What the attempt will need, said before it computes anything.
    ///
    /// @param memory          how the device's memory will be used, for people
    /// @param memoryBytes     of the device, at the peak
    /// @param diskBytes       of everything that the job writes, at most
    /// @param expectedSeconds for the whole job, at the pace of earlier ones on this device; 0 if there were none
    /// @param gaveUp          what the recipe lost because memory is short; empty where it is whole
    record Planned(String memory, long memoryBytes, long diskBytes, long expectedSeconds, List<String> gaveUp)
            implements Event {
        public Planned {
            gaveUp = List.copyOf(gaveUp);
        }
    }

    /// An earlier run of the job was interrupted; it goes on after `step`. Steps announced beyond it will be repeated.
    record Resumed(long step, String reason) implements Event {}

    /// @param what such as `latents` or `text embeddings`
    record Preparing(String what, long done, long total) implements Event {}

    /// One update was made. A trainer writes it for every step; it stays in the trainer's own log.
    ///
    /// @param loss         of this step, not smoothed
    /// @param gradientNorm before clipping
    /// @param microSteps   batches whose gradients were averaged for it
    /// @param lossByNoise  its loss, by thirds of the noise
    record Stepped(long step, long steps, double loss, double learningRate, double gradientNorm,
                   double secondsPerStep, int microSteps, LossByNoise lossByNoise) implements Event {}

    /// A mean loss by how noisy the pictures were that were learned from: much noise is about composition, a middling
    /// one about features, little about texture. NaN where there was no such picture.
    ///
    /// @param high   noise levels from 2/3
    /// @param middle from 1/3
    /// @param low    below
    record LossByNoise(double high, double middle, double low) {
        public static final LossByNoise UNKNOWN = new LossByNoise(Double.NaN, Double.NaN, Double.NaN);
    }

    /// How far the job is; at most one in a while, so what lies between may be missing without harm.
    ///
    /// @param loss           mean over the steps since the one before
    /// @param secondsPerStep median of the same steps
    /// @param etaSeconds     until the last step, at this pace
    /// @param vramBytes      held on the device; 0 where there is none
    /// @param microSteps     batches that each step is made of, which the seconds are spent on
    /// @param lossByNoise    as `loss`, by thirds of the noise
    record Progressed(long step, long steps, double loss, double secondsPerStep, long etaSeconds, long vramBytes,
                      int microSteps, LossByNoise lossByNoise) implements Event {}

    /// The loss on pictures kept out of training, after `step` updates.
    record HeldOutMeasured(long step, double loss) implements Event {}

    /// @param prompt which prompt, counted from 0; not its text
    record SampleWritten(long step, int prompt, String path, String sha256) implements Event {}

    /// The checkpoint is complete under its final name.
    ///
    /// @param trainingLoss smoothed
    /// @param heldOutLoss  NaN if not measured
    record CheckpointWritten(long step, String path, long bytes, String sha256, double trainingLoss,
                             double heldOutLoss) implements Event {}

    /// Saved state to resume from turned out damaged and was passed over.
    record CheckpointRejected(long step, String path, String reason) implements Event {}

    /// The attempt ended and the job will go on by itself.
    ///
    /// @param code why, such as `HOST_STOPPING` or `CRASHED`
    record Interrupted(long step, String code, String message) implements Event {}

    /// The job waits for something other than a free device, such as room on the disk.
    record Parked(String code, String message) implements Event {}

    /// All is done and visible in the output folder.
    ///
    /// @param path      the final adapter
    /// @param finalLoss smoothed
    /// @param report    path of `report.html`
    record Completed(long step, String path, String sha256, double finalLoss, String report) implements Event {}

    /// The job ended without a result; what it saved is still there.
    record Failed(String code, String message, List<Problem> problems) implements Event {
        public Failed {
            problems = List.copyOf(problems);
        }

        /// What went wrong, in the kind it is of.
        public static Failed of(Throwable failure) {
            return switch (failure) {
                case UserMistake mistake ->
                    new Failed(mistake.problems().getFirst().code(), mistake.getMessage(), mistake.problems());
                case SickMachine machine ->
                    new Failed(machine.code(), String.valueOf(machine.getMessage()), List.of());
                default -> new Failed("BUG", failure.toString(), List.of());
            };
        }
    }

    /// Somebody asked for the end.
    record Cancelled(String reason) implements Event {}

    /// Another host has taken the job over; what this one did since is not published.
    record Superseded(String host, int attempt) implements Event {}

    /// The same job came again and was answered with the one that is there.
    record Duplicate(String origin, String state) implements Event {}

    /// Something the user should know that stops nothing.
    ///
    /// @param severity `notice`, or `warning` where the run will probably be worse for it
    record NoticeGiven(String code, String message, String severity) implements Event {
        /// One that is good to know and no more.
        public NoticeGiven(String code, String message) {
            this(code, message, "notice");
        }
    }

    /// A device takes no more jobs until somebody or something has looked after it.
    record DeviceQuarantined(String device, String code, String message) implements Event {}

    /// A device runs slower than it could, to stay cool or within its power.
    record DeviceThrottled(String device, String reason) implements Event {}

    /// A device takes jobs again.
    record DeviceRestored(String device) implements Event {}

    /// A service began to look after its inbox.
    record HostStarted(String version, List<String> slots) implements Event {
        public HostStarted {
            slots = List.copyOf(slots);
        }
    }

    /// A service takes no more jobs and stops when the running ones have saved their state.
    record HostDraining(String reason) implements Event {}

    /// The CloudEvents `type`. Within `.v1` fields are only ever added.
    default String type() {
        return "nocturne." + switch (this) {
            case Rejected _ -> "job.rejected";
            case Queued _ -> "job.queued";
            case Started _ -> "job.started";
            case Planned _ -> "job.planned";
            case Resumed _ -> "job.resumed";
            case Preparing _ -> "job.preparing";
            case Stepped _ -> "job.stepped";
            case Progressed _ -> "job.progressed";
            case HeldOutMeasured _ -> "job.measured";
            case SampleWritten _ -> "sample.written";
            case CheckpointWritten _ -> "checkpoint.written";
            case CheckpointRejected _ -> "checkpoint.rejected";
            case Interrupted _ -> "job.interrupted";
            case Parked _ -> "job.parked";
            case Completed _ -> "job.completed";
            case Failed _ -> "job.failed";
            case Cancelled _ -> "job.cancelled";
            case Superseded _ -> "job.superseded";
            case Duplicate _ -> "job.duplicate";
            case NoticeGiven _ -> "job.notice";
            case DeviceQuarantined _ -> "gpu.quarantined";
            case DeviceThrottled _ -> "gpu.throttled";
            case DeviceRestored _ -> "gpu.restored";
            case HostStarted _ -> "host.started";
            case HostDraining _ -> "host.draining";
        } + ".v1";
    }

    /// Whether the job is in another state from here on: such an event is on the disk before anybody hears of it.
    /// The others may be lost in a power cut without harm.
    default boolean changesState() {
        return switch (this) {
            case Planned _, Preparing _, Stepped _, Progressed _, HeldOutMeasured _, SampleWritten _, NoticeGiven _,
                    DeviceThrottled _ -> false;
            default -> true;
        };
    }

    /// The CloudEvents `data`, its keys always in this order. JSON has no NaN: what is not finite becomes null.
    default ObjectNode data() {
        ObjectNode data = JsonNodeFactory.instance.objectNode();
        switch (this) {
            case Rejected event -> {
                data.put("name", event.name());
                list(data, event.problems());
            }
            case Queued event -> data.put("name", event.name()).put("origin", event.origin())
                    .put("contentHash", event.contentHash()).put("steps", event.steps())
                    .put("pictures", event.pictures());
            case Started event -> data.put("name", event.name()).put("steps", event.steps())
                    .put("pictures", event.pictures()).put("device", event.device());
            case Planned event -> {
                data.put("memory", event.memory()).put("memoryBytes", event.memoryBytes())
                        .put("diskBytes", event.diskBytes()).put("expectedSeconds", event.expectedSeconds());
                ArrayNode gaveUp = data.putArray("gaveUp");
                event.gaveUp().forEach(gaveUp::add);
            }
            case Resumed event -> data.put("step", event.step()).put("reason", event.reason());
            case Preparing event -> data.put("what", event.what()).put("done", event.done())
                    .put("total", event.total());
            case Stepped event -> {
                data.put("step", event.step()).put("steps", event.steps())
                        .put("loss", finite(event.loss())).put("learningRate", finite(event.learningRate()))
                        .put("gradientNorm", finite(event.gradientNorm()))
                        .put("secondsPerStep", finite(event.secondsPerStep())).put("microSteps", event.microSteps());
                byNoise(data, event.lossByNoise());
            }
            case Progressed event -> {
                data.put("step", event.step()).put("steps", event.steps())
                        .put("loss", finite(event.loss())).put("secondsPerStep", finite(event.secondsPerStep()))
                        .put("etaSeconds", event.etaSeconds()).put("vramBytes", event.vramBytes())
                        .put("microSteps", event.microSteps());
                byNoise(data, event.lossByNoise());
            }
            case HeldOutMeasured event -> data.put("step", event.step()).put("loss", finite(event.loss()));
            case SampleWritten event -> data.put("step", event.step()).put("prompt", event.prompt())
                    .put("path", event.path()).put("sha256", event.sha256());
            case CheckpointWritten event -> data.put("step", event.step()).put("path", event.path())
                    .put("bytes", event.bytes()).put("sha256", event.sha256())
                    .put("trainingLoss", finite(event.trainingLoss()))
                    .put("heldOutLoss", finite(event.heldOutLoss()));
            case CheckpointRejected event -> data.put("step", event.step()).put("path", event.path())
                    .put("reason", event.reason());
            case Interrupted event -> data.put("step", event.step()).put("code", event.code())
                    .put("message", event.message());
            case Parked event -> data.put("code", event.code()).put("message", event.message());
            case Completed event -> data.put("step", event.step()).put("path", event.path())
                    .put("sha256", event.sha256()).put("finalLoss", finite(event.finalLoss()))
                    .put("report", event.report());
            case Failed event -> {
                data.put("code", event.code()).put("message", event.message());
                list(data, event.problems());
            }
            case Cancelled event -> data.put("reason", event.reason());
            case Superseded event -> data.put("host", event.host()).put("attempt", event.attempt());
            case Duplicate event -> data.put("origin", event.origin()).put("state", event.state());
            case NoticeGiven event -> data.put("code", event.code()).put("message", event.message())
                    .put("severity", event.severity());
            case DeviceQuarantined event -> data.put("device", event.device()).put("code", event.code())
                    .put("message", event.message());
            case DeviceThrottled event -> data.put("device", event.device()).put("reason", event.reason());
            case DeviceRestored event -> data.put("device", event.device());
            case HostStarted event -> {
                data.put("version", event.version());
                event.slots().forEach(data.putArray("slots")::add);
            }
            case HostDraining event -> data.put("reason", event.reason());
        }
        return data;
    }

    private static void byNoise(ObjectNode data, LossByNoise loss) {
        data.putObject("lossByNoise").put("high", finite(loss.high())).put("middle", finite(loss.middle()))
                .put("low", finite(loss.low()));
    }

    private static void list(ObjectNode data, List<Problem> problems) {
        var array = data.putArray("problems");
        for (Problem problem : problems) {
            array.addObject().put("code", problem.code()).put("where", problem.where()).put("what", problem.what());
        }
    }

    private static @Nullable Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }
}
