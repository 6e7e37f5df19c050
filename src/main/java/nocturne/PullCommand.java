package nocturne;

import java.io.Console;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import nocturne.desk.PullDisplay;
import nocturne.hub.Endpoint;
import nocturne.hub.HubToken;
import nocturne.hub.ModelId;
import nocturne.hub.Patience;
import nocturne.hub.Pull;
import nocturne.hub.PullRequest;
import nocturne.service.DiskConfig;
import nocturne.service.ModelsConfig;
import nocturne.service.ServiceConfig;
import nocturne.service.Settings;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `nocturne pull ID`: fetches a model from a hub, the one thing that Nocturne ever downloads.
@Command(name = "pull", description = "Fetches a model, such as Qwen/Qwen-Image-Edit-2509, into the folder for models;"
        + " run again after an interruption, it goes on where it stopped. Only what a pipeline needs is fetched, and"
        + " every file's hash is checked. A token is taken from HF_TOKEN, a proxy from Java's own properties"
        + " (NOCTURNE_JAVA_OPTS=-Dhttps.proxyHost=...).")
final class PullCommand implements Callable<Integer> {
    private static final int MOST_CONNECTIONS = 16;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "ID", description = "The model's name at the hub: OWNER/NAME.")
    private String id = "";

    @Option(names = "--revision", paramLabel = "REV", description = "A branch, tag or commit. Default: main, or"
            + " what an earlier pull has begun or brought.")
    private @Nullable String revision;

    @Option(names = "--to", paramLabel = "DIR", description = "The model's own folder. Default: NAME in the first of"
            + " nocturne.models.roots.")
    private @Nullable Path to;

    @Option(names = "--endpoint", paramLabel = "URL", description = "The hub. Default: HF_ENDPOINT, else "
            + Endpoint.STANDARD + ".")
    private @Nullable String endpoint;

    @Option(names = "--include", paramLabel = "PATTERN", description = "These files instead of those that a pipeline"
            + " needs, such as 'transformer/*.json'; may be given several times, and needs --to.")
    private List<String> include = List.of();

    @Option(names = "--connections", paramLabel = "N", defaultValue = "4",
            description = "Files at a time. Default: ${DEFAULT-VALUE}.")
    private int connections = 4;

    @Mixin
    private SettingsOptions settings = new SettingsOptions();

    PullCommand() {}

    @Override
    public Integer call() {
        ModelId model = ModelId.of(id).orElseThrow(() -> mistake(
                "%s: the name of a model at a hub, please, such as %s.".formatted(id, ModelId.KNOWN.getFirst())));
        if (connections < 1 || connections > MOST_CONNECTIONS) {
            throw mistake("--connections %d: from 1 to %d, please.".formatted(connections, MOST_CONNECTIONS));
        }
        if (to == null && !include.isEmpty()) {
            throw mistake("--include: needs --to; some files of a model are no model, so they have no place of their"
                    + " own.");
        }
        Map<String, String> environment = System.getenv();
        String asked = endpoint == null ? environment.getOrDefault("HF_ENDPOINT", "") : endpoint;
        Endpoint hub = Endpoint.of(asked.isBlank() ? Endpoint.STANDARD : asked);
        HubToken token = HubToken.of(environment).orElse(null);
        PrintWriter out = spec.commandLine().getOut();
        PullRequest request = request(model);
        // A pull may be ended at any moment and goes on from there, so a signal need not wait for anything.
        ((Main) spec.root().userObject()).stopSignal().onSignal();
        Console console = System.console();
        PullDisplay display = new PullDisplay(out, console != null && console.isTerminal(), System::nanoTime);
        try {
            new Pull(request, hub, token, Patience.usual(), display).run();
        } finally {
            display.close();
        }
        out.printf("%s is in %s%n", model, request.folder());
        return ExitCode.DONE.number();
    }

    private PullRequest request(ModelId model) {
        try (Settings read = settings.read()) {
            Path folder = to != null ? to : firstRoot(read).resolve(model.name());
            return new PullRequest(model, revision, folder.toAbsolutePath().normalize(), include, connections,
                    read.of(DiskConfig.class).reserve());
        }
    }

    private Path firstRoot(Settings read) {
        List<Path> roots = read.of(ModelsConfig.class).below(read.of(ServiceConfig.class).home());
        if (roots.isEmpty()) throw mistake("Where to? nocturne.models.roots is empty; name a folder with --to.");
        return roots.getFirst();
    }

    private ParameterException mistake(String words) {
        return new ParameterException(spec.commandLine(), words);
    }
}
