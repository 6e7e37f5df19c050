package nocturne.service.kafka;

import java.util.Locale;
import java.util.Map;
import nocturne.io.ContentHash;
import nocturne.job.JobId;
import nocturne.problem.UserMistake;
import nocturne.service.message.JobRequest;
import org.jspecify.annotations.Nullable;

/// A record of the jobs topic, understood: which request it is, whose turn it asks for, and what is to be done.
///
/// The request's id is what claims are about. It is the job id that the sender wants, where one is wanted, and else a
/// hash of what is asked for, so that the same message sent twice is one request. With `rerun` every message is a
/// request of its own.
///
/// @param request the id, in the shape of a [JobId]
/// @param attempt whose turn: 1, or what a host said that took the request up for another one
/// @param job     what is asked for; null where the record is the bundle itself
/// @param name    what the sender calls it
/// @param value   as it was sent
record Envelope(String request, int attempt, @Nullable JobRequest job, String name, byte[] value) {
    /// Says which request a record is, where a host sends it once more for another.
    static final String REQUEST = "request";
    static final String ATTEMPT = "attempt";
    /// What the sender calls a bundle that is the message.
    static final String NAME = "name";
    private static final int MOST_ATTEMPTS = 1_000;
    private static final int LONGEST_NAME = 200;
    private static final int LONGEST_ID = 64;

    /// Reads a record.
    ///
    /// @param key     the record's key; empty where it has none
    /// @param headers the record's headers, as text
    /// @param place   where the record is, such as `3-17`
    /// @param largest bytes that are taken
    /// @throws UserMistake with everything that is wrong
    static Envelope read(String key, byte[] value, Map<String, String> headers, String place, int largest) {
        if (value.length > largest) {
            throw new UserMistake("MESSAGE_TOO_LARGE", "",
                    "the message has %d bytes; at most %d are taken here. Send the"
                    .formatted(value.length, largest) + " bundle's address instead.");
        }
        if (isZip(value)) return zip(key, value, headers);
        JobRequest job = JobRequest.parse(value);
        String id = job.id();
        if (id == null) {
            ContentHash hash = new ContentHash().add(job.name()).add(String.valueOf(job.model()));
            // With a hash it is the same bundle, wherever it is fetched from.
            boolean isHashed = !job.bundle().sha256().isEmpty();
            hash.add(isHashed ? job.bundle().sha256() : job.bundle().uri().toString());
            id = named(job.name(), hash.hex());
        }
        if (job.rerun()) id = id.substring(0, Math.min(id.length(), LONGEST_ID - place.length() - 1)) + "-" + place;
        return new Envelope(request(headers, id), attempt(headers), job, job.name(), value);
    }

    private static Envelope zip(String key, byte[] value, Map<String, String> headers) {
        String name = headers.getOrDefault(NAME, key);
        if (name.toLowerCase(Locale.ROOT).endsWith(".zip")) name = name.substring(0, name.length() - 4);
        if (name.length() > LONGEST_NAME) name = name.substring(0, LONGEST_NAME);
        if (name.isBlank()) name = "job";
        String id = named(name, new ContentHash().add(name).add(ContentHash.ofBytes(value)).hex());
        return new Envelope(request(headers, id), attempt(headers), null, name, value);
    }

    private static boolean isZip(byte[] value) {
        return value.length >= 2 && value[0] == 'P' && value[1] == 'K';
    }

    /// A name for people and 16 digits for everybody else.
    private static String named(String name, String hash) {
        return JobId.of(name, hash).text() + hash.substring(8, 16);
    }

    private static String request(Map<String, String> headers, String otherwise) {
        String said = headers.get(REQUEST);
        if (said == null) return otherwise;
        if (JobId.isValid(said)) return said;
        throw new UserMistake("MESSAGE_INVALID", "header " + REQUEST, "is not the id of a request; leave it out");
    }

    private static int attempt(Map<String, String> headers) {
        String said = headers.get(ATTEMPT);
        if (said == null) return 1;
        if (said.matches("[1-9]\\d{0,3}") && Integer.parseInt(said) <= MOST_ATTEMPTS) return Integer.parseInt(said);
        throw new UserMistake("MESSAGE_INVALID", "header " + ATTEMPT,
                "is not allowed; a whole number from 1 to %d. Leave it out.".formatted(MOST_ATTEMPTS));
    }
}
