package nocturne.desk;

import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import nocturne.job.Ledger;
import nocturne.job.WorkFolder;

/// Another process that works in a folder, until it is killed or its input ends.
final class LockHolder {
    private LockHolder() {}

    public static void main(String[] arguments) throws IOException {
        try (Ledger _ = Ledger.open(new WorkFolder(Path.of(arguments[0])), "there", InstantSource.system())) {
            System.out.println("held");
            System.in.readAllBytes();
        }
    }

    /// Returns when the folder is held.
    static Process start(WorkFolder work) throws IOException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"),
                LockHolder.class.getName(), work.root().toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        if (!"held".equals(process.inputReader().readLine())) throw new IOException("the holder failed");
        return process;
    }
}
