package nocturne.service.inbox;

/// Where a claimed file goes when its answer is known.
enum Outcome {
    /// What was in it is durable elsewhere: it is deleted.
    TAKEN,
    /// It cannot be used: it is kept in `rejected/`.
    REFUSED,
    /// This machine could not take it now: it goes back, and is offered again after a while.
    LATER;

    /// The exchange property that carries it from the bean that decides to the strategy that moves the file.
    static final String PROPERTY = "nocturne.outcome";
}
