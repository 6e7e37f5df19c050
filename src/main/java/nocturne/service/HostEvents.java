package nocturne.service;

import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.event.EventLog;
import nocturne.io.AtomicFiles;
import nocturne.job.Ledger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The host's journal: `work/host/events.jsonl`.
@Singleton
final class HostEvents implements HostJournal {
    private static final Logger LOG = LoggerFactory.getLogger(HostEvents.class);

    private final EventLog log;

    /// @param ledger proves that the work folder is ours
    HostEvents(Ledger ledger, ServiceConfig config, InstantSource clock) {
        Path journal = ledger.work().hostJournal();
        makeWayFor(config.host(), journal);
        log = EventLog.open(journal, config.host(), "/hosts/" + config.host(), clock);
    }

    @Override
    public void record(Event event) {
        log.append(event);
    }

    @PreDestroy
    void close() {
        log.close();
    }

    /// Moves the journal of a host that was called otherwise aside, with everything that says how far it was read.
    private static void makeWayFor(String host, Path journal) {
        try (Stream<String> lines = Files.exists(journal) ? Files.lines(journal) : Stream.empty()) {
            Optional<String> before = lines.limit(1).flatMap(line -> EventLine.parse(line).stream())
                    .map(EventLine::subject).findFirst();
            if (before.isEmpty() || before.get().equals(host)) return;
            Path folder = Objects.requireNonNull(journal.getParent());
            Path aside = folder.resolveSibling("host-" + HostName.safe(before.get()));
            for (int i = 2; Files.exists(aside); i++) {
                aside = folder.resolveSibling("host-" + HostName.safe(before.get()) + "-" + i);
            }
            Files.move(folder, aside, StandardCopyOption.ATOMIC_MOVE);
            Files.createDirectories(folder);
            LOG.info("this host was called {} before; its journal is now {}", before.get(), aside);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, journal);
        }
    }
}
