package nocturne.service.fake;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;

/// A trainer that only pretends to compute: same arguments, log, heartbeat, files, signals and exit codes as
/// `nocturne train --supervised`, a few milliseconds a step. What it does wrong, [FakeScript] says.
///
/// Its result depends on every step having been made once, in order: [#result] says what it must be.
public final class FakeEngine {
    private static final int DONE = 0;
    private static final int INPUT = 64;
    private static final int BUG = 70;
    private static final int IN_USE = 73;
    private static final int SAVED = 75;
    private static final int HUNG = -1;

    private final FakeScript script;
    private final Path out;
    private final String name;
    private final String device;
    private final int vramShare;
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean stopping;
    private volatile boolean beating = true;
    private volatile String phase = "loading";
    private volatile long step;
    private long millis;
    private byte[] learned = new byte[32];
    private long beat;
    private FakeLog log;

    private FakeEngine(FakeScript script, Path out, String name, String device, int vramShare) {
        this.script = script;
        this.out = out;
        this.name = name;
        this.device = device;
        this.vramShare = vramShare;
        this.millis = script.millis();
    }

    /// Words for `nocturne.trainer.command` that start this in place of the trainer.
    public static List<String> command() {
        String classes = location();
        return List.of(ProcessHandle.current().info().command().orElse("java"), "-Xmx48m", "-Xshare:auto",
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classes, FakeEngine.class.getName());
    }

    private static String location() {
        try {
            return Path.of(FakeEngine.class.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
        } catch (java.net.URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /// The bytes of the final adapter after so many steps, whatever happened in between.
    public static byte[] result(long steps, int bytes) {
        byte[] learned = new byte[32];
        for (long step = 1; step <= steps; step++) learned = FakeFiles.learned(learned, step);
        return FakeFiles.adapter(learned, bytes);
    }

    public static void main(String[] words) throws Exception {
        List<String> left = new ArrayList<>();
        // `--name=x` is `--name x`.
        for (String word : words) {
            left.addAll(Arrays.asList(word.startsWith("--") ? word.split("=", 2) : new String[] {word}));
        }
        if (left.isEmpty() || !left.removeFirst().equals("train")) Runtime.getRuntime().halt(INPUT);
        boolean supervised = left.remove("--supervised");
        Path out = Path.of(option(left, "--out", "out"));
        String name = option(left, "--name", "fake").replaceAll("[^A-Za-z0-9._-]", "-");
        String device = option(left, "--device", "cpu");
        int vramShare = Integer.parseInt(option(left, "--vram-share", "100%").replace("%", ""));
        Path bundle = Path.of(left.stream().filter(word -> !word.startsWith("--")).findFirst().orElse("."));
        FakeEngine engine = new FakeEngine(FakeScript.read(bundle), out, name, device, vramShare);
        Runtime.getRuntime().addShutdownHook(new Thread(engine::stop));
        if (supervised) daemon(engine::watchService);
        try {
            int code = engine.run();
            if (code == HUNG) new CountDownLatch(1).await();
            Runtime.getRuntime().halt(code);
        } catch (Throwable bug) {
            bug.printStackTrace();
            Runtime.getRuntime().halt(BUG);
        }
    }

    private static String option(List<String> words, String option, String otherwise) {
        int at = words.indexOf(option);
        if (at < 0 || at + 1 >= words.size()) return otherwise;
        words.remove(at);
        return words.remove(at);
    }

    /// SIGTERM: the virtual machine ends when this returns, which it does not; the main thread ends it.
    private void stop() {
        if (!script.ignoresTerm()) stopping = true;
        sleepForever();
    }

    private void watchService() {
        try (InputStream in = System.in) {
            in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException gone) {
            // The same as its end.
        }
        if (script.ignoresEof()) return;
        stopping = true;
        try {
            Thread.sleep(5_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        // Whoever has not saved by now, hangs.
        Runtime.getRuntime().halt(SAVED);
    }

    private int run() throws Exception {
        if (script.closesPipes()) {
            System.out.close();
            System.err.close();
        }
        flood(script.floodBytes());
        Files.createDirectories(out.resolve(".state"));
        int code = fault(0);
        if (code != 0) return code;
        try (Alone onDevice = alone(device); Alone inJob = alone(out.toAbsolutePath().getParent().getFileName() + "")) {
            log = FakeLog.open(out.resolve("events.jsonl"), name + "-0fa4e000");
            if (log == null) return IN_USE;
            if (log.endsWith("job.completed")) return DONE;
            beat();
            daemon(this::beatForever);
            try {
                return train();
            } catch (IOException e) {
                String words = String.valueOf(e.getMessage()).replaceAll("[^ -~]|[\"\\\\]", "");
                return failed(74, words.contains("No space left") ? "DISK_FULL" : "WRITE_FAILED", words);
            }
        }
    }

    private int train() throws Exception {
        if (vramShare < script.leastResumeShare() && Files.exists(out.resolve(".state/state.txt"))) {
            return failed(74, "MEMORY_TAKEN", "the run began when the device had more room");
        }
        log.append("job.started", "{\"name\":\"%s\",\"steps\":%d,\"pictures\":1,\"device\":\"%s\"}"
                .formatted(name, script.steps(), device));
        state("preparing");
        pause(script.loadMillis());
        phase = "caching";
        log.append("job.preparing", "{\"what\":\"latents\",\"done\":1,\"total\":1}");
        restore();
        state("running");
        if (vramShare > script.mostVramShare()) {
            return failed(74, "GPU_OUT_OF_MEMORY", "the first step needs 31 GiB, and the device has 24 GiB");
        }
        while (step < script.steps()) {
            if (stopping) return saved();
            int code = fault(step + 1);
            if (code != 0) return code;
            phase = "training";
            pause(millis);
            long made = step + 1;
            learned = FakeFiles.learned(learned, made);
            step = made;
            log.append("job.stepped", String.format(Locale.ROOT, "{\"step\":%d,\"steps\":%d,\"loss\":%.4f,"
                    + "\"learningRate\":0.0005,\"gradientNorm\":0.1,\"secondsPerStep\":%.4f}", step, script.steps(),
                    0.5 / (1 + 0.1 * step), millis / 1000.0));
            beat();
            if (step % script.saveEvery() == 0 && step < script.steps()) checkpoint(name + "_%09d".formatted(step));
            if (step % script.sampleEvery() == 0) sample();
        }
        return completed();
    }

    private int completed() throws IOException {
        String file = name + ".safetensors";
        String hash = checkpoint(name);
        Files.writeString(out.resolve("report.html"), "<!doctype html><title>" + name + "</title>\n");
        log.append("job.completed", "{\"step\":%d,\"path\":\"%s\",\"sha256\":\"%s\",\"finalLoss\":0.1,"
                .formatted(step, file, hash) + "\"report\":\"report.html\"}");
        state("completed");
        return DONE;
    }

    private int saved() throws IOException {
        phase = "saving";
        save();
        log.append("job.interrupted", "{\"step\":%d,\"code\":\"STOPPED\",\"message\":\"asked to stop\"}"
                .formatted(step));
        return SAVED;
    }

    private int failed(int code, String word, String message) {
        try {
            log.append("job.failed", "{\"code\":\"%s\",\"message\":\"%s\",\"problems\":[]}".formatted(word, message));
        } catch (IOException alsoFull) {
            System.err.println(alsoFull);
        }
        return code;
    }

    /// @return the exit code, 0 to go on
    private int fault(long at) throws Exception {
        for (FakeScript.Fault fault : script.faults()) {
            boolean here = script.faultyDevice().isEmpty() || script.faultyDevice().equals(device);
            if (fault.step() != at || !here || script.once() && !firstTime(fault)) continue;
            String[] words = fault.argument().split(" ", 3);
            switch (fault.what()) {
                case "exit" -> {
                    System.err.println("the fake ends at step " + at + " as its script says");
                    Runtime.getRuntime().halt(Integer.parseInt(words[0]));
                }
                case "signal" -> signal(words[0]);
                case "freeze" -> signal("STOP");
                case "fail" -> {
                    return failed(Integer.parseInt(words[0]), words[1], words.length > 2 ? words[2] : words[1]);
                }
                case "cudaError" -> {
                    return failed(76, "DEVICE_ERROR_" + words[0], "kernel fake_forward: CUDA error " + words[0]);
                }
                case "hang" -> {
                    beating = false;
                    return HUNG;
                }
                case "slow" -> millis = Long.parseLong(words[0]);
                case "phase" -> {
                    phase = words[0];
                    pause(Long.parseLong(words[1]));
                }
                default -> throw new IOException("unknown fault " + fault.what());
            }
        }
        return 0;
    }

    private boolean firstTime(FakeScript.Fault fault) throws IOException {
        Path mark = out.resolve(".state/fault-" + fault.line());
        if (Files.exists(mark)) return false;
        Files.createFile(mark);
        return true;
    }

    private static void signal(String name) throws Exception {
        new ProcessBuilder("kill", "-s", name, Long.toString(ProcessHandle.current().pid())).inheritIO().start()
                .waitFor();
        Thread.sleep(100);
    }

    private void restore() throws IOException {
        Path file = out.resolve(".state/state.txt");
        if (Files.notExists(file)) return;
        String[] words = Files.readString(file).strip().split(" ");
        step = Long.parseLong(words[0]);
        learned = HexFormat.of().parseHex(words[1]);
        log.append("job.resumed", "{\"step\":%d,\"reason\":\"the run before was interrupted\"}".formatted(step));
    }

    private void save() throws IOException {
        FakeFiles.write(out.resolve(".state/state.txt"),
                (step + " " + FakeFiles.hex(learned) + "\n").getBytes(StandardCharsets.US_ASCII));
    }

    private String checkpoint(String called) throws IOException {
        phase = "saving";
        byte[] bytes = FakeFiles.adapter(learned, script.bytes());
        FakeFiles.write(out.resolve(called + ".safetensors"), bytes);
        save();
        String hash = FakeFiles.hex(FakeFiles.sha256(bytes));
        log.append("checkpoint.written", "{\"step\":%d,\"path\":\"%s.safetensors\",\"bytes\":%d,\"sha256\":\"%s\","
                .formatted(step, called, bytes.length, hash) + "\"trainingLoss\":0.2,\"heldOutLoss\":null}");
        return hash;
    }

    private void sample() throws IOException {
        phase = "sampling";
        String path = "samples/%s_%09d_0.png".formatted(name, step);
        byte[] png = FakeFiles.picture(learned);
        FakeFiles.write(out.resolve(path), png);
        log.append("sample.written", "{\"step\":%d,\"prompt\":0,\"path\":\"%s\",\"sha256\":\"%s\"}"
                .formatted(step, path, FakeFiles.hex(FakeFiles.sha256(png))));
    }

    private void state(String word) throws IOException {
        FakeFiles.write(out.resolve("job.json"), ("{\"job\":\"%s\",\"state\":\"%s\",\"step\":%d,\"steps\":%d,"
                .formatted(name, word, step, script.steps()) + "\"fingerprint\":\"0fa4e000\"}\n")
                .getBytes(StandardCharsets.US_ASCII));
    }

    private void beatForever() {
        try {
            while (beating) {
                beat();
                Thread.sleep(500);
            }
        } catch (IOException | InterruptedException e) {
            System.err.println(e);
        }
    }

    private synchronized void beat() throws IOException {
        beat++;
        byte[] text = String.format(Locale.ROOT, "{\"pid\":%d,\"phase\":\"%s\",\"step\":%d,\"steps\":%d,\"beat\":%d}%n",
                ProcessHandle.current().pid(), phase, step, script.steps(), beat).getBytes(StandardCharsets.US_ASCII);
        try (RandomAccessFile file = new RandomAccessFile(out.resolve(".state/heartbeat.json").toFile(), "rw")) {
            file.write(text);
            file.setLength(text.length);
        }
    }

    /// Shorter where a stop is wanted.
    private void pause(long wanted) throws InterruptedException {
        long end = System.nanoTime() + wanted * 1_000_000;
        while (!stopping && System.nanoTime() < end) Thread.sleep(Math.min(wanted, 20));
    }

    private static void flood(long bytes) {
        if (bytes == 0) return;
        PrintStream err = System.err;
        byte[] line = ("a line of a flood " + "x".repeat(1005) + "\n").getBytes(StandardCharsets.US_ASCII);
        for (long written = 0; written < bytes; written += line.length) err.write(line, 0, line.length);
        err.flush();
        System.err.println("end of the flood");
    }

    /// Holds a name as long as this process is at work; `DIR/violations` names who met whom.
    private Alone alone(String holder) throws IOException {
        if (script.exclusive().toString().isEmpty()) return () -> { };
        Files.createDirectories(script.exclusive());
        RandomAccessFile file = new RandomAccessFile(
                script.exclusive().resolve(holder.replace(':', '-') + ".held").toFile(), "rw");
        if (file.getChannel().tryLock() == null) {
            Files.writeString(script.exclusive().resolve("violations"), holder + " " + out + "\n",
                    StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
        return file::close;
    }

    private interface Alone extends AutoCloseable {
        @Override
        void close() throws IOException;
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        thread.start();
    }

    private void sleepForever() {
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
