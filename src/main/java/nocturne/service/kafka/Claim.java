package nocturne.service.kafka;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import nocturne.job.Job;

/// What one host says of one request: the value of a record on the claims topic, whose key is the request.
///
/// @param version   of this form
/// @param request   which one, see [Envelope]
/// @param attempt   which host's turn it is, from 1; a host that was silent for too long is followed by the next
/// @param host      that says it
/// @param state     `claimed` until there is a job, then the job's own; `duplicate` where another job had done it
///                  before
/// @param job       its id; empty until there is one
/// @param step      updates made and saved
/// @param topic     where the request can be read again, with partition and offset
/// @param partition of that topic
/// @param offset    in that partition
@JsonIgnoreProperties(ignoreUnknown = true)
record Claim(int version, String request, int attempt, String host, String state, String job, long step,
        String topic, int partition, long offset) {
    static final int VERSION = 1;
    static final String CLAIMED = "claimed";
    static final String DUPLICATE = "duplicate";
    private static final Set<String> LAST = Set.of("completed", "refused", "failed", "cancelled", DUPLICATE);
    private static final int LARGEST = 16 << 10;
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(5).maxDocumentLength(LARGEST)
                    .build())
            .build());

    /// The first word about a request.
    static Claim first(String request, int attempt, String host, String topic, int partition, long offset) {
        return new Claim(VERSION, request, attempt, host, CLAIMED, "", 0, topic, partition, offset);
    }

    /// The same claim, as the job stands now.
    Claim of(Job now) {
        return new Claim(VERSION, request, attempt, host, now.state().word(), now.id().text(), now.step(), topic,
                partition, offset);
    }

    /// The same claim, answered by a job that was there before.
    Claim answeredBy(Job other) {
        return new Claim(VERSION, request, attempt, host, DUPLICATE, other.id().text(), other.step(), topic, partition,
                offset);
    }

    /// Whether nothing will follow.
    @JsonIgnore
    boolean isLast() {
        return LAST.contains(state);
    }

    /// Whether two hosts, or one and its later self, mean the same turn.
    boolean isSameTurn(Claim other) {
        return request.equals(other.request) && attempt == other.attempt && host.equals(other.host);
    }

    byte[] toJson() {
        try {
            return JSON.writeValueAsBytes(this);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /// Empty if this is no claim that we know: the topic is open to whoever may write to it.
    static Optional<Claim> parse(byte[] json) {
        if (json.length > LARGEST) return Optional.empty();
        try {
            Claim claim = JSON.readValue(json, Claim.class);
            boolean sound = claim != null && claim.version == VERSION && claim.request != null && claim.host != null
                    && claim.state != null && claim.job != null && claim.topic != null && claim.attempt > 0;
            return sound ? Optional.of(claim) : Optional.empty();
        } catch (IOException unknown) {
            return Optional.empty();
        }
    }
}
