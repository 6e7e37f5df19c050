package nocturne.bundle;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import nocturne.problem.UserMistake;

/// A process with a small heap that takes every file of a folder as a bundle, one after the other, and says of each
/// what became of it, how long that took and how much of the disk it used meanwhile.
final class SmallHeapRun {
    static final long MOST_BYTES = 64L << 20;

    private SmallHeapRun() {}

    /// @param arguments the folder with the zips, and the work folder
    public static void main(String[] arguments) throws IOException {
        BundleLimits limits = new BundleLimits(10_000, 32L << 20, MOST_BYTES, 200, Duration.ofMinutes(1));
        Path work = Path.of(arguments[1]);
        AtomicLong peak = new AtomicLong();
        Thread.ofPlatform().daemon().start(() -> {
            while (!Thread.interrupted()) {
                peak.accumulateAndGet(bytesBelow(work), Math::max);
                LockSupport.parkNanos(1_000_000);
            }
        });
        List<Path> zips;
        try (Stream<Path> files = Files.list(Path.of(arguments[0]))) {
            zips = files.sorted().toList();
        }
        for (Path zip : zips) {
            peak.set(0);
            long began = System.nanoTime();
            String answer = answer(zip, work, limits);
            long millis = (System.nanoTime() - began) / 1_000_000;
            System.out.println(String.join("\t", String.valueOf(zip.getFileName()), Long.toString(millis),
                    Long.toString(peak.get()), answer.replaceAll("\\s+", " ")));
        }
    }

    private static String answer(Path zip, Path work, BundleLimits limits) {
        try {
            Bundle.take(zip, "drop.zip", work, limits);
            return "TAKEN";
        } catch (UserMistake mistake) {
            return mistake.problems().getFirst().code() + " " + mistake.report();
        }
    }

    private static long bytesBelow(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        } catch (IOException | RuntimeException meanwhileGone) {
            return 0;
        }
    }
}
