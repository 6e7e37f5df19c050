package nocturne.service.slot;

import io.micronaut.context.annotation.Factory;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.LongSupplier;
import nocturne.io.FreeSpace;
import nocturne.job.JobId;
import nocturne.job.Ledger;
import nocturne.problem.Backoff;
import nocturne.service.DiskConfig;
import nocturne.service.HostJournal;
import nocturne.service.ModelsConfig;
import nocturne.service.Provisions;
import nocturne.service.ServiceConfig;

/// Puts the slots together.
@Factory
final class SlotFactory {

    /// Everything that a test may want to be different from the real world.
    ///
    /// @param variables   of the service's environment
    /// @param clock       for the hours of the day
    /// @param nanos       for everything else; only runs forwards
    /// @param usableBytes of a folder's disk
    record World(Map<String, String> variables, Processes processes, InstantSource clock, LongSupplier nanos,
            Function<Path, OptionalLong> usableBytes) {
        static World real() {
            return new World(System.getenv(), Processes.REAL, InstantSource.system(), System::nanoTime,
                    FreeSpace::of);
        }
    }

    /// What an operator can set.
    record Settings(ServiceConfig service, ModelsConfig models, DiskConfig disk, SlotSettings slots,
            TrainerSettings trainer, HangLimits limits, GpuSettings gpu) {}

    @Singleton
    Dispatcher dispatcher(ServiceConfig service, ModelsConfig models, DiskConfig disk, SlotSettings slots,
            TrainerSettings trainer, HangLimits limits, GpuSettings gpu, Ledger ledger, HostJournal host,
            Provisions provisions) throws InterruptedException {
        return dispatcher(new Settings(service, models, disk, slots, trainer, limits, gpu), ledger, host,
                provisions, World.real());
    }

    static Dispatcher dispatcher(Settings settings, Ledger ledger, HostJournal host, Provisions provisions,
            World world) throws InterruptedException {
        TrainerSettings trainer = settings.trainer();
        GpuSettings gpu = settings.gpu();
        DeviceHealth health = gpu.feed().isEmpty() ? new NvidiaSmi("nvidia-smi", gpu.timeout())
                : new HealthFeed(settings.service().home().resolve(gpu.feed()));
        List<String> devices = Devices.of(settings.slots().slots(), health, !trainer.command().isEmpty());
        boolean measured = !gpu.feed().isEmpty() || devices.stream().anyMatch(device -> device.startsWith("cuda:"));

        Backoff backoff = new Backoff(trainer.pause(), trainer.longestPause());
        Rests<JobId> pauses = new Rests<>(backoff, world.nanos());
        Rests<String> rest = new Rests<>(backoff, world.nanos());
        SlotBoard board = new SlotBoard(devices, rest, host);
        int cpuSlots = (int) devices.stream().filter(device -> device.startsWith("cpu")).count();
        Trainers trainers = new Trainers(trainer, ledger.work(), settings.service().home(),
                settings.models().below(settings.service().home()), cpuSlots, world.variables(), world.processes());
        Attempt.Setting setting = new Attempt.Setting(ledger, trainers, trainer, settings.limits(),
                settings.service().grace(), settings.slots().progress(), board, world.nanos());
        DiskRoom disk = new DiskRoom(List.of(ledger.work().root(), settings.service().outbox()),
                settings.disk().reserve(), world.usableBytes());
        Hours hours = Hours.of(settings.slots().windows(), settings.slots().zone(), world.clock());
        return new Dispatcher(new Dispatcher.Makings(setting, trainer, pauses, rest, world.processes(), hours, disk,
                host, health, gpu.share(), measured ? gpu.poll() : Duration.ZERO, provisions));
    }
}
