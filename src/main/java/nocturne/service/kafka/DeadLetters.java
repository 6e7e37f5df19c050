package nocturne.service.kafka;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import nocturne.problem.Problem;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/// What is written to the dead-letter topic: the request as it was sent, and in the headers why it is there and where
/// it was: `code`, `reason`, `topic`, `partition`, `offset`.
final class DeadLetters {
    /// What a broker takes without being told otherwise, less what the headers need. A larger request is still where
    /// `topic`, `partition` and `offset` say.
    private static final int LARGEST = 900 << 10;
    private static final int LONGEST_REASON = 2_000;

    private DeadLetters() {}

    /// @param value of the request; left out if it is large
    static ProducerRecord<byte[], byte[]> record(String topic, byte @Nullable [] key, byte @Nullable [] value,
            Map<String, String> headers) {
        byte[] kept = value != null && value.length > LARGEST ? null : value;
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, key, kept);
        headers.forEach((name, text) -> record.headers().add(name, text.getBytes(StandardCharsets.UTF_8)));
        return record;
    }

    static Map<String, String> headers(List<Problem> problems, String topic, int partition, long offset) {
        Map<String, String> headers = new TreeMap<>();
        headers.put("code", problems.isEmpty() ? "FAILED" : problems.getFirst().code());
        headers.put("reason", reason(problems));
        headers.put("topic", topic);
        headers.put("partition", String.valueOf(partition));
        headers.put("offset", String.valueOf(offset));
        return headers;
    }

    private static String reason(List<Problem> problems) {
        StringBuilder reason = new StringBuilder();
        for (Problem problem : problems) reason.append(reason.isEmpty() ? "" : "; ").append(problem);
        String text = reason.toString();
        return text.length() <= LONGEST_REASON ? text : text.substring(0, LONGEST_REASON) + "…";
    }
}
