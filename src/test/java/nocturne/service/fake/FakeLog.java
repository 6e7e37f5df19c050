package nocturne.service.fake;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;

/// The trainer's own `events.jsonl`, as [nocturne.event.EventLog] writes it.
final class FakeLog {
    private final RandomAccessFile file;
    private final String job;
    private final int attempt;
    private long sequence;
    private String lastType = "";

    private FakeLog(RandomAccessFile file, String job, int attempt, long sequence, String lastType) {
        this.file = file;
        this.job = job;
        this.attempt = attempt;
        this.sequence = sequence;
        this.lastType = lastType;
    }

    /// @return null if another process writes it
    static FakeLog open(Path path, String job) throws IOException {
        RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
        FileLock lock = file.getChannel().tryLock();
        if (lock == null) {
            file.close();
            return null;
        }
        byte[] bytes = new byte[(int) file.length()];
        file.readFully(bytes);
        String text = new String(bytes, StandardCharsets.US_ASCII);
        int end = text.lastIndexOf('\n') + 1;
        file.setLength(end);
        file.seek(end);
        if (end == 0) return new FakeLog(file, job, 1, 0, "");
        String last = text.substring(text.lastIndexOf('\n', end - 2) + 1, end - 1);
        String id = between(last, "\"id\":\"", "\"");
        String[] parts = id.split("/");
        return new FakeLog(file, job, Integer.parseInt(parts[1]) + 1, Long.parseLong(parts[2]),
                between(last, "\"type\":\"", "\""));
    }

    private static String between(String text, String before, String after) {
        int from = text.indexOf(before) + before.length();
        return text.substring(from, text.indexOf(after, from));
    }

    /// @param type without `nocturne.` and `.v1`
    /// @param data JSON, ASCII
    synchronized void append(String type, String data) throws IOException {
        sequence++;
        String line = String.format(Locale.ROOT, "{\"specversion\":\"1.0\",\"id\":\"%s/%d/%d\","
                + "\"source\":\"/nocturne/train\",\"type\":\"nocturne.%s.v1\",\"subject\":\"%s\",\"time\":\"%s\","
                + "\"datacontenttype\":\"application/json\",\"sequence\":\"%010d\",\"partitionkey\":\"%s\","
                + "\"data\":%s}\n", job, attempt, sequence, type, job, Instant.now(), sequence, job, data);
        file.write(line.getBytes(StandardCharsets.US_ASCII));
        lastType = "nocturne." + type + ".v1";
    }

    boolean endsWith(String type) {
        return lastType.equals("nocturne." + type + ".v1");
    }
}
