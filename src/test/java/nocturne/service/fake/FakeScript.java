package nocturne.service.fake;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What a [FakeEngine] shall do: `fake.txt` in the bundle, one wish a line, `#` begins a comment.
///
/// ```
/// steps 20                how many steps; default 20
/// ms 50                   how long each takes; default 10
/// load 200                milliseconds of loading before the first step; default 0
/// save 5                  state, checkpoint and its file every so many steps; default 5
/// sample 10               a picture every so many steps; default 10
/// bytes 4096              size of a checkpoint
/// ignore SIGTERM          goes on although it is asked to stop
/// ignore EOF              goes on although the service is gone
/// close pipes             closes its standard output and error at the start
/// flood 1GB               writes as much to its standard error at the start (GB, MB, KB)
/// exclusive DIR           notes in DIR when another fake runs on the same device or in the same job at the same time
/// vram share 85           not enough GPU memory at the first step, unless it is to use no more of it, in percent
/// resume share 90         cannot go on from saved state with less of the GPU memory than that, in percent
/// on cuda:1               the faults below happen on this device only
/// once                    each fault below happens in one attempt only, not in all
/// step 7: exit 139        ends there and then; step 0 is before anything else, also before the log is opened
/// step 7: signal KILL     the same by a real signal
/// step 7: fail 74 DISK_FULL the disk is full       says so in the log as the last word, ends with that code
/// step 7: cudaError 700   as the engine does after a failed kernel: last word DEVICE_ERROR_700, exit 76
/// step 7: hang            computes no more and beats no more, but lives
/// step 7: freeze          stops itself with SIGSTOP
/// step 7: slow 500        every step from here on takes so many milliseconds
/// step 7: phase sampling 3000    is in this phase for so long, beating
/// ```
///
/// A fault at step 7 happens in place of the seventh step: six are done.
record FakeScript(long steps, long millis, long loadMillis, long saveEvery, long sampleEvery, int bytes,
        boolean ignoresTerm, boolean ignoresEof, boolean closesPipes, long floodBytes, Path exclusive,
        int mostVramShare, int leastResumeShare, String faultyDevice, boolean once, List<Fault> faults) {
    private static final Pattern FAULT = Pattern.compile("step (\\d+): *(\\w+) ?(.*)");
    private static final Pattern SIZE = Pattern.compile("(\\d+) ?([KMG]?)B?");

    /// @param line which line of the script it is, to tell it from others
    record Fault(int line, long step, String what, String argument) {}

    static FakeScript read(Path bundle) throws IOException {
        long steps = 20;
        long millis = 10;
        long load = 0;
        long save = 5;
        long sample = 10;
        int bytes = 4096;
        boolean ignoresTerm = false;
        boolean ignoresEof = false;
        boolean closesPipes = false;
        long flood = 0;
        Path exclusive = Path.of("");
        int vramShare = 100;
        int resumeShare = 0;
        String device = "";
        boolean once = false;
        List<Fault> faults = new ArrayList<>();
        List<String> lines = lines(bundle);
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).replaceFirst("(^|\\s)#.*", "").strip();
            if (line.isEmpty()) continue;
            Matcher fault = FAULT.matcher(line);
            if (fault.matches()) {
                faults.add(new Fault(i, Long.parseLong(fault.group(1)), fault.group(2), fault.group(3)));
                continue;
            }
            String[] words = line.split(" ", 2);
            String value = words.length > 1 ? words[1] : "";
            switch (words[0]) {
                case "steps" -> steps = Long.parseLong(value);
                case "ms" -> millis = Long.parseLong(value);
                case "load" -> load = Long.parseLong(value);
                case "save" -> save = Long.parseLong(value);
                case "sample" -> sample = Long.parseLong(value);
                case "bytes" -> bytes = Integer.parseInt(value);
                case "ignore" -> {
                    ignoresTerm |= value.equals("SIGTERM");
                    ignoresEof |= value.equals("EOF");
                }
                case "close" -> closesPipes = true;
                case "flood" -> flood = size(value);
                case "exclusive" -> exclusive = Path.of(value);
                case "vram" -> vramShare = Integer.parseInt(value.replaceFirst("^share ", ""));
                case "resume" -> resumeShare = Integer.parseInt(value.replaceFirst("^share ", ""));
                case "on" -> device = value;
                case "once" -> once = true;
                default -> throw new IOException("fake.txt line " + (i + 1) + " cannot be understood: " + line);
            }
        }
        return new FakeScript(steps, millis, load, save, sample, bytes, ignoresTerm, ignoresEof, closesPipes, flood,
                exclusive, vramShare, resumeShare, device, once, List.copyOf(faults));
    }

    /// At the top, or where a zip of a folder put it.
    private static List<String> lines(Path bundle) throws IOException {
        try (Stream<Path> files = Files.walk(bundle, 2)) {
            Path script = files.filter(file -> file.endsWith("fake.txt")).sorted().findFirst().orElse(null);
            return script == null ? List.of() : Files.readAllLines(script);
        }
    }

    private static long size(String text) throws IOException {
        Matcher size = SIZE.matcher(text);
        if (!size.matches()) throw new IOException("not a size: " + text);
        int shift = switch (size.group(2)) {
            case "K" -> 10;
            case "M" -> 20;
            case "G" -> 30;
            default -> 0;
        };
        return Long.parseLong(size.group(1)) << shift;
    }
}
