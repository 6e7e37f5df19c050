package nocturne.service;

import nocturne.event.Event;

/// What happens to this host and its devices rather than to a job. Published like a job's journal; its subject is the
/// host.
public interface HostJournal {

    /// Returns when the event is written.
    void record(Event event);
}
