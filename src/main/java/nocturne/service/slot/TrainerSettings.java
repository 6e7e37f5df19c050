package nocturne.service.slot;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;
import java.util.List;

/// How a trainer is started, and how patient the service is with it: `nocturne.trainer`.
///
/// @param command     words before `train ...`; none for this very program
/// @param heap        options of its Java heap, such as `-Xmx4g`; tensors live outside of it
/// @param memory      most bytes of private memory it may take, such as `48g`; empty for no limit
/// @param nice        how far it steps back for other programs, 0 to 19
/// @param threads     it computes with; 0 shares the processors among the `cpu` slots
/// @param environment names of variables it gets beside the usual ones; nothing else of ours reaches it
/// @param vram        most memory of a GPU that it may use, such as `24GB`; empty for what is free
/// @param lessVram    shares of that to try, in this order, when the GPU's memory was not enough
/// @param eightBit    whether a GPU multiplies frozen weights in 8 bits where that is close enough
/// @param look        how often the service looks at a running trainer
/// @param attempts    that may fail without getting further before the job fails
/// @param fastDeaths  before its first word, in a row, before the job is put aside
/// @param pause       after the first failure; doubles with each
/// @param longestPause no longer than this
/// @param probation   how long a device rests that a trainer called sick, where nobody measures its health
/// @param kill        how long the system may take to end a trainer that it was told to end
/// @param logBytes    of trainer.log; the older half goes first
/// @param maxHours    after which a job ends with what it has, all attempts together; 0 for no limit
/// @param locks       folder with a lock file for each device, held by the trainer; empty: for a GPU one that all
///                    services of this user share, else one in the work folder
@ConfigurationProperties("nocturne.trainer")
record TrainerSettings(
        @Bindable(defaultValue = "") List<String> command,
        @Bindable(defaultValue = "-Xms64m,-XX:MaxRAMPercentage=25,-XX:MinHeapFreeRatio=10,-XX:MaxHeapFreeRatio=30")
        List<String> heap,
        @Bindable(defaultValue = "") String memory,
        @Bindable(defaultValue = "0") int nice,
        @Bindable(defaultValue = "0") int threads,
        @Bindable(defaultValue = "") List<String> environment,
        @Bindable(defaultValue = "") String vram,
        @Bindable(defaultValue = "85%,70%") List<String> lessVram,
        @Bindable(defaultValue = "false") boolean eightBit,
        @Bindable(defaultValue = "250ms") Duration look,
        @Bindable(defaultValue = "3") int attempts,
        @Bindable(defaultValue = "5") int fastDeaths,
        @Bindable(defaultValue = "1s") Duration pause,
        @Bindable(defaultValue = "5m") Duration longestPause,
        @Bindable(defaultValue = "10m") Duration probation,
        @Bindable(defaultValue = "5s") Duration kill,
        @Bindable(defaultValue = "8388608") long logBytes,
        @Bindable(defaultValue = "0") double maxHours,
        @Bindable(defaultValue = "") String locks) {
    TrainerSettings {
        command = SlotSettings.named(command);
        heap = SlotSettings.named(heap);
        environment = SlotSettings.named(environment);
        lessVram = SlotSettings.named(lessVram);
    }
}
