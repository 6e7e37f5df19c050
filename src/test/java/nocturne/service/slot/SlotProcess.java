package nocturne.service.slot;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/// The slots of a service in a process of their own, so that a test can kill it.
///
/// `SlotProcess FOLDER [setting=value ...]` runs the jobs that lie in the folder, until something ends it.
final class SlotProcess {
    private SlotProcess() {}

    public static void main(String[] words) throws Exception {
        SlotBench bench = new SlotBench(Path.of(words[0]));
        for (int i = 1; i < words.length; i++) {
            String[] setting = words[i].split("=", 2);
            bench.with(setting[0], setting[1]);
        }
        bench.start();
        Runtime.getRuntime().addShutdownHook(new Thread(bench::stop));
        new CountDownLatch(1).await();
    }
}
