package nocturne.service.slot;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import nocturne.job.Job;
import nocturne.job.WorkFolder;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// Starts trainers: the words, the variables, the limits.
///
/// The process begins as a chain of small programs that each become the next (`setsid`, `flock`, `prlimit`, `nice`,
/// `java`), so its number stays the same. Those that this system lacks are left out.
final class Trainers {
    /// What a program needs to run at all. Nothing that could hold a secret of the service.
    private static final Predicate<String> USUAL = Pattern.compile(
            "PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|TMPDIR|JAVA_HOME|LD_LIBRARY_PATH|XDG_CACHE_HOME|XDG_RUNTIME_DIR"
                    + "|OPENBLAS_.*|OMP_NUM_THREADS|CUDA_PATH|CUDA_CACHE_PATH|CUDA_HOME"
                    + "|NOCTURNE_CUDA_LIBS").asMatchPredicate();
    private static final Pattern BYTES = Pattern.compile("(\\d+) ?([kmgt]?)b?");
    /// Longer than an orphan takes to notice that its service is gone.
    private static final String WAIT_FOR_LOCK_SECONDS = "15";
    /// `EX_CANTCREAT`, as the trainer itself answers when its folder is in use.
    private static final String IN_USE = "73";
    /// From -1000, never, to 1000, first.
    private static final String OUT_OF_MEMORY_SCORE = "500";

    private final TrainerSettings settings;
    private final WorkFolder work;
    private final Path home;
    private final List<Path> modelRoots;
    private final int cpuSlots;
    private final Map<String, String> variables;
    private final Processes processes;

    /// @param home       Nocturne's own folder
    /// @param modelRoots below which jobs' models lie
    /// @param cpuSlots   how many trainers may compute on the processor at the same time
    /// @param variables  of the service
    Trainers(TrainerSettings settings, WorkFolder work, Path home, List<Path> modelRoots, int cpuSlots,
            Map<String, String> variables, Processes processes) {
        this.settings = settings;
        this.work = work;
        this.home = home;
        this.modelRoots = List.copyOf(modelRoots);
        this.cpuSlots = cpuSlots;
        this.variables = variables;
        this.processes = processes;
        memoryBytes();
    }

    /// @param vramShare of a GPU's usable memory, such as `85%`; null for all of it
    /// @throws SickMachine if the system cannot start it
    Trainer start(Job job, String device, @Nullable String vramShare) {
        Path folder = work.job(job.id());
        Path lock = lockFile(device);
        BoundedLog log = new BoundedLog(work.trainerLog(job.id()), settings.logBytes());
        try {
            Files.createDirectories(lock.toAbsolutePath().getParent());
            log.title("--- attempt %d on %s".formatted(job.attempt() + 1, device));
            ProcessBuilder builder = new ProcessBuilder(words(job, device, vramShare, lock))
                    .directory(folder.toFile()).redirectErrorStream(true);
            builder.environment().clear();
            builder.environment().putAll(environment(device));
            Process process = builder.start();
            offerToOutOfMemoryKiller(process);
            return new Trainer(process, log, processes);
        } catch (IOException e) {
            throw new SickMachine("TRAINER_NOT_STARTED",
                    "starting the trainer of %s: %s".formatted(job.id(), e.getMessage()), e);
        }
    }

    /// Where memory runs out, a trainer is to go before the service and before what else the machine is for.
    private static void offerToOutOfMemoryKiller(Process process) {
        try {
            Files.writeString(Path.of("/proc", Long.toString(process.pid()), "oom_score_adj"), OUT_OF_MEMORY_SCORE);
        } catch (IOException notLinuxOrGone) {
            // Then the system chooses as it likes.
        }
    }

    List<String> words(Job job, String device, @Nullable String vramShare, Path lock) {
        List<String> words = new ArrayList<>();
        if (has("setsid")) words.add("setsid");
        if (has("flock")) words.addAll(List.of("flock", "--no-fork", "-w", WAIT_FOR_LOCK_SECONDS, "-E", IN_USE,
                lock.toString()));
        long memory = memoryBytes();
        if (memory > 0 && has("prlimit")) words.addAll(List.of("prlimit", "--data=" + memory));
        if (settings.nice() > 0 && has("nice")) words.addAll(List.of("nice", "-n", Integer.toString(settings.nice())));
        words.addAll(settings.command().isEmpty() ? ourselves(job) : settings.command());
        Path folder = work.job(job.id());
        words.addAll(List.of("train", folder.resolve(job.bundle()).toString(), "--out", work.run(job.id()).toString(),
                // In one word: a stranger's name may look like an option.
                "--name=" + job.name(), "--device", argument(device), "--cache",
                work.cache().toString(), "--supervised"));
        String model = job.model();
        if (model != null) words.add("--model=" + model);
        String modelFolder = job.modelFolder();
        if (modelFolder != null) words.add("--model-folder=" + folder.resolve(modelFolder));
        words.add("--model-roots=" + modelRoots.stream().map(Path::toString)
                .collect(Collectors.joining(File.pathSeparator)));
        if (settings.maxHours() > 0) words.addAll(List.of("--max-hours", Double.toString(settings.maxHours())));
        if (device.startsWith("cuda")) words.addAll(gpuOptions(vramShare));
        int threads = settings.threads() > 0 ? settings.threads()
                : cpuSlots > 1 ? Math.max(1, Runtime.getRuntime().availableProcessors() / cpuSlots) : 0;
        if (threads > 0 && (settings.threads() > 0 || device.startsWith("cpu"))) {
            words.addAll(List.of("--threads", Integer.toString(threads)));
        }
        return words;
    }

    private List<String> gpuOptions(@Nullable String vramShare) {
        List<String> options = new ArrayList<>();
        if (!settings.vram().isEmpty()) options.addAll(List.of("--vram", settings.vram()));
        if (vramShare != null) options.addAll(List.of("--vram-share", vramShare));
        if (settings.eightBit()) options.add("--eight-bit");
        return options;
    }

    private List<String> ourselves(Job job) {
        List<String> words = new ArrayList<>();
        words.add(ProcessHandle.current().info().command().orElse("java"));
        words.addAll(List.of("--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC", "-XX:ErrorFile=" + work.job(job.id()).resolve("java-crash.log"),
                "-Dnocturne.home=" + home));
        words.addAll(settings.heap());
        words.addAll(List.of("-cp", absoluteClassPath(), "nocturne.Main"));
        return words;
    }

    /// The trainer works in another folder than we do.
    private static String absoluteClassPath() {
        List<String> entries = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path", "").split(File.pathSeparator)) {
            entries.add(Path.of(entry).toAbsolutePath().toString());
        }
        return String.join(File.pathSeparator, entries);
    }

    /// A GPU's own trainer sees that GPU alone, as the first. A trainer that is not ours gets the slot's name.
    private String argument(String device) {
        return settings.command().isEmpty() && device.startsWith("cuda:") ? "cuda:0" : device;
    }

    Map<String, String> environment(String device) {
        Map<String, String> allowed = new TreeMap<>();
        variables.forEach((name, value) -> {
            if (USUAL.test(name) || settings.environment().contains(name)) allowed.put(name, value);
        });
        // Without a locale Java cannot open a file whose name is not ASCII.
        if (!allowed.containsKey("LC_ALL") && !allowed.containsKey("LANG")) allowed.put("LC_ALL", "C.UTF-8");
        allowed.put("CUDA_DEVICE_ORDER", "PCI_BUS_ID");                 // as nvidia-smi counts
        allowed.put("CUDA_VISIBLE_DEVICES", device.startsWith("cuda:") ? device.substring("cuda:".length()) : "");
        return allowed;
    }

    private Path lockFile(String device) {
        String name = device.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-") + ".lock";
        if (!settings.locks().isEmpty()) return Path.of(settings.locks()).resolve(name);
        if (settings.command().isEmpty() && device.startsWith("cuda:")) {
            return Path.of(System.getProperty("java.io.tmpdir"), "nocturne-" + System.getProperty("user.name"), name);
        }
        return work.locks().resolve(name);
    }

    private boolean has(String program) {
        for (String folder : variables.getOrDefault("PATH", "").split(File.pathSeparator)) {
            if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, program))) return true;
        }
        return false;
    }

    private long memoryBytes() {
        String text = settings.memory().strip().toLowerCase(Locale.ROOT);
        if (text.isEmpty()) return 0;
        Matcher bytes = BYTES.matcher(text);
        if (!bytes.matches()) {
            throw new UserMistake("CONFIG_INVALID", "nocturne.trainer.memory",
                    "\"" + text + "\" is no number of bytes; write it like 48g, or leave it out");
        }
        return Long.parseLong(bytes.group(1)) << 10 * " kmgt".indexOf(bytes.group(2).isEmpty() ? " " : bytes.group(2));
    }
}
