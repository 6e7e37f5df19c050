package nocturne.event;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.Locale;
import nocturne.problem.DiskFull;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// The job's journal, `events.jsonl`: one event a line, in the JSON form of CloudEvents 1.0, appended and never
/// changed.
///
/// - `id` is `<job>/<attempt>/<sequence>`; the sequence counts the job's events from 1 without a gap, also across
///   interruptions, and each opening of the log is one attempt. Whoever reads an `id` twice has read one event twice.
/// - A line is written whole or, if the machine stops in between, cut off when the log is opened next; a notice
///   then says so. Events that change the job's state are forced to the disk before [#append] returns.
/// - A line is ASCII: anything else is escaped, so that text from users can break neither a line nor a terminal.
///
/// Only one process can hold a log. All methods may be called from any thread.
///
/// Source: CloudEvents 1.0.2 with its sequence and partitioning extensions.
public final class EventLog implements AutoCloseable {
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private final Path file;
    private final FileChannel channel;
    private final String job;
    private final String source;
    private final int attempt;
    private final InstantSource clock;
    private final long trainerSequence;
    private final long cut;
    private long length;
    private long sequence;
    private boolean unforced;

    private EventLog(Path file, FileChannel channel, String job, String source, InstantSource clock, EventTail tail,
            long cut) {
        this.file = file;
        this.channel = channel;
        this.job = job;
        this.source = source;
        this.clock = clock;
        this.length = tail.length();
        this.sequence = tail.sequence();
        this.attempt = tail.attempt() + 1;
        this.trainerSequence = tail.trainerSequence();
        this.cut = cut;
    }

    /// Opens the log, or starts it.
    ///
    /// @param file   `events.jsonl`, in a folder that exists
    /// @param job    the job's id, the `subject` of all events
    /// @param source who speaks, a URI reference such as `/hosts/studio`
    /// @param clock  for the `time`, which is for people; nothing is decided by it
    /// @throws UserMistake if another process writes this log, or it is another job's, or no event log at all
    /// @throws SickMachine if the file cannot be read or written
    public static EventLog open(Path file, String job, String source, InstantSource clock) {
        EventLog log = reopen(file, job, source, clock);
        try {
            if (log.cut > 0) log.append(log.repaired());
            return log;
        } catch (RuntimeException e) {
            closeQuietly(log.channel);
            throw e;
        }
    }

    /// The same for a writer that knows which event comes next: what was cut off is not noticed in the log, so that the
    /// next number is still that event's. See [#repaired].
    ///
    /// @throws UserMistake as above
    /// @throws SickMachine as above
    public static EventLog reopen(Path file, String job, String source, InstantSource clock) {
        boolean isNew = Files.notExists(file);
        FileChannel channel = null;
        try {
            channel = FileChannel.open(file,
                    StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
            requireAlone(channel, file);
            EventTail tail = EventTail.of(channel, file);
            if (tail.sequence() > 0 && !tail.job().equals(job)) {
                throw new UserMistake("OUTPUT_IN_USE", file.toString(),
                        "holds the events of another job, " + tail.job() + "; choose another output folder");
            }
            long torn = channel.size() - tail.length();
            channel.truncate(tail.length());
            if (isNew) forceFolder(file);
            return new EventLog(file, channel, job, source, clock, tail, torn);
        } catch (IOException e) {
            closeQuietly(channel);
            throw unwritable("opening " + file, e);
        } catch (RuntimeException | Error e) {
            closeQuietly(channel);
            throw e;
        }
    }

    /// Writes one event of the attempt that this opening of the log is.
    ///
    /// @return the line as it stands in the file, without its end
    /// @throws SickMachine if it could not be written; the log is then as it was before, and may be tried again
    public synchronized String append(Event event) {
        return append(event, attempt, 0);
    }

    /// Writes one event of an attempt that somebody else counts.
    ///
    /// @param trainerSequence how far the trainer's own log is taken over with this event; 0 where it plays no part
    /// @return the line
    /// @throws SickMachine as above
    public synchronized String append(Event event, int ofAttempt, long trainerSequence) {
        return write(line(event.type(), event.data(), clock.instant().toString(), ofAttempt, trainerSequence),
                event.changesState());
    }

    /// Writes an event whose type and data were made earlier.
    ///
    /// @param time RFC 3339
    /// @return the line
    /// @throws SickMachine as above
    public synchronized String append(String type, ObjectNode data, String time, int ofAttempt, long trainerSequence) {
        return write(line(type, data, time, ofAttempt, trainerSequence), true);
    }

    /// Takes over an event from a trainer's log: its type, data and time, with a place of its own in this log. It is on
    /// the disk for certain once a later event is that changes the state, or the log is closed.
    ///
    /// @return the line
    /// @throws SickMachine as above
    public synchronized String takeOver(EventLine event, int ofAttempt) {
        return write(line(event.type(), event.data(), event.time(), ofAttempt, event.sequence()), false);
    }

    /// Leaves numbers out, where events are known to have been here and are lost.
    ///
    /// @param last the next event gets a higher number than this, which it may do anyway
    public synchronized void continueAfter(long last) {
        sequence = Math.max(sequence, last);
    }

    private String write(String line, boolean force) {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.US_ASCII));
        int size = bytes.remaining();
        try {
            // At a position of our own and not "at the end": after half a write failed, the next one overwrites it.
            long at = length;
            while (bytes.hasRemaining()) at += channel.write(bytes, at);
            if (force) channel.force(false);
            unforced = !force;
        } catch (IOException e) {
            takeBack();
            throw unwritable("writing event %d to %s".formatted(sequence + 1, file), e);
        }
        length += size;
        sequence++;
        return line;
    }

    /// All lines so far, to be read before anything else is appended.
    ///
    /// @throws SickMachine if the file cannot be read
    public synchronized Reader reader() {
        try {
            // Through our own channel: closing another one on this file would drop our lock on it.
            return Channels.newReader(channel.position(0), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new SickMachine("EVENTS_UNREADABLE", "reading " + file + ": " + e.getMessage(), e);
        }
    }

    /// The number of the last event, 0 if there is none yet.
    public synchronized long sequence() {
        return sequence;
    }

    /// How far the trainer's own log had been taken over when this one was opened.
    public long trainerSequence() {
        return trainerSequence;
    }

    /// How many bytes of half a line were cut off when this log was opened; 0 for a sound one.
    public long cut() {
        return cut;
    }

    /// The notice that says so.
    public Event.NoticeGiven repaired() {
        return new Event.NoticeGiven("EVENTS_REPAIRED", String.format(Locale.ROOT,
                "%s ended in the middle of a line, as happens when the machine stops suddenly: the last %d bytes were "
                        + "cut off", file.getFileName(), cut));
    }

    /// How often this log was opened, this time included: the attempt that new events belong to.
    public int attempt() {
        return attempt;
    }

    @Override
    public synchronized void close() {
        try (channel) {
            if (unforced && channel.isOpen()) channel.force(false);
        } catch (IOException e) {
            throw unwritable("closing " + file, e);
        }
    }

    /// An event about something that has no log, because nothing else will ever happen to it: a message that no job
    /// could be made of.
    ///
    /// @param subject what it is about, such as `nocturne.jobs-3-17`
    public static String lone(Event event, String subject, String source, InstantSource clock) {
        return line(event.type(), event.data(), clock.instant().toString(), subject, source, 0, 1, 0);
    }

    private String line(String type, ObjectNode data, String time, int ofAttempt, long trainerSequence) {
        return line(type, data, time, job, source, ofAttempt, sequence + 1, trainerSequence);
    }

    private static String line(String type, ObjectNode data, String time, String job, String source, int ofAttempt,
            long number, long trainerSequence) {
        ObjectNode line = JSON.createObjectNode();
        line.put("specversion", "1.0")
                .put("id", job + "/" + ofAttempt + "/" + number)
                .put("source", source)
                .put("type", type)
                .put("subject", job)
                .put("time", time)
                .put("datacontenttype", "application/json")
                .put("sequence", String.format(Locale.ROOT, "%010d", number))
                .put("partitionkey", job);
        if (trainerSequence > 0) line.put(EventLine.TRAINER_SEQUENCE, trainerSequence);
        line.set("data", Scrubber.scrub(data));
        try {
            return JSON.writeValueAsString(line);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static SickMachine unwritable(String doing, IOException cause) {
        if (DiskFull.isMeantBy(cause)) {
            return new SickMachine(DiskFull.CODE, doing + ": the disk is full; make room and start again.", cause);
        }
        return new SickMachine("EVENTS_UNWRITABLE", doing + ": " + cause.getMessage(), cause);
    }

    private void takeBack() {
        try {
            channel.truncate(length);
        } catch (IOException alsoFailed) {
            // Nothing is lost: the next write or the next opening removes what was left.
        }
    }

    private static void requireAlone(FileChannel channel, Path file) throws IOException {
        boolean alone;
        try {
            alone = channel.tryLock() != null;
        } catch (OverlappingFileLockException heldByThisProcess) {
            alone = false;
        }
        if (!alone) {
            throw new UserMistake("OUTPUT_IN_USE", file.toString(),
                    "another run is writing here; wait for it, or choose another output folder");
        }
    }

    /// A new file survives a power cut only once its folder does. Windows neither needs nor allows this.
    private static void forceFolder(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !file.getFileSystem().supportedFileAttributeViews().contains("posix")) return;
        try (FileChannel entry = FileChannel.open(folder, StandardOpenOption.READ)) {
            entry.force(true);
        }
    }

    private static void closeQuietly(@Nullable FileChannel channel) {
        if (channel == null) return;
        try {
            channel.close();
        } catch (IOException alreadyFailing) {
            // The first failure is the one to report.
        }
    }
}
