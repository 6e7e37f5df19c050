package nocturne;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.function.Function;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.cpu.CpuBackend;
import nocturne.cuda.CudaBackend;
import nocturne.cuda.CudaSettings;
import nocturne.cuda.ProductMode;
import nocturne.io.DType;
import nocturne.problem.UserMistake;
import nocturne.train.CardClass;
import nocturne.train.Forecast;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `nocturne check BUNDLE`: what would become of a bundle, without a device and before any hour of one is spent.
@Command(name = "check",
        description = "Looks at a bundle: whether it would be accepted, what should be known about it, and what memory,"
                + " disk and time it takes, on any card.")
final class CheckCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "BUNDLE", description = "Folder or zip, as for train.")
    private Path bundle = Path.of("");

    @Option(names = "--gpu", paramLabel = "SIZE", description = "Plan for a card with this much memory, such as 24GB;"
            + " it need not be here. Default: for the processor.")
    private @Nullable String gpu;

    @Option(names = "--eight-bit", description = "With --gpu: as for train.")
    private boolean eightBit;

    @Option(names = "--model", paramLabel = "DIR", description = "Pipeline to train on. Default: what the recipe names;"
            + " a released one need not be here.")
    private @Nullable Path model;

    @Option(names = "--name", paramLabel = "NAME", description = "What the bundle is called. Default: its file name.")
    private @Nullable String name;

    @Option(names = "--cache", paramLabel = "DIR", description = "As for train: there lies how fast earlier jobs were."
            + " Default: work/cache beside the launcher.")
    private @Nullable Path cache;

    @Option(names = "--json", description = "As a JSON object, for programs.")
    private boolean json;

    @Mixin
    private SettingsOptions settings = new SettingsOptions();

    CheckCommand() {}

    @Override
    public Integer call() {
        OptionalLong card = MemoryOption.bytes(spec.commandLine(), "--gpu", gpu);
        Path source = bundle.toAbsolutePath().normalize();
        Bundle opened = Bundle.open(source, Home.folder().resolve("work/bundles"), BundleLimits.STANDARD);
        String called = name == null ? String.valueOf(source.getFileName()) : name;
        try {
            report(opened, called, card);
            return ExitCode.DONE.number();
        } catch (UserMistake refused) {
            if (!json) throw refused;
            spec.commandLine().getOut().println(CheckReport.refusal(refused));
            return ExitCode.of(refused).number();
        }
    }

    private void report(Bundle opened, String called, OptionalLong card) {
        Forecast forecast = Forecast.of(opened, called, model == null ? null : model.toString(), settings.models(),
                cache == null ? Home.folder().resolve("work/cache") : cache, device(card));
        CheckReport report = new CheckReport(forecast, called,
                card.isPresent() ? CardClass.of(card.getAsLong()) : null, gpu);
        PrintWriter out = spec.commandLine().getOut();
        if (json) out.println(report.json());
        else report.print(out);
    }

    private Forecast.Device device(OptionalLong card) {
        if (card.isEmpty()) {
            String processor = ofProcessor(CpuBackend::name);
            return Forecast.Device.processor(processor, () -> ofProcessor(CpuBackend::rehearsal));
        }
        CudaSettings products =
                new CudaSettings(DType.BF16, eightBit ? ProductMode.EIGHT_BIT : ProductMode.DECODED);
        return Forecast.Device.card(card.getAsLong(), () -> CudaBackend.rehearsal(products, true));
    }

    private static <T> T ofProcessor(Function<CpuBackend, T> asked) {
        try (CpuBackend processor = new CpuBackend(Runtime.getRuntime().availableProcessors())) {
            return asked.apply(processor);
        }
    }
}
