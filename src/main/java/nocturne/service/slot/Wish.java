package nocturne.service.slot;

/// Why a trainer is asked to end before its time.
///
/// @param kind    decides what becomes of the job
/// @param code    for the event, stable
/// @param message for people
record Wish(Kind kind, String code, String message) {
    enum Kind {
        /// The job goes on later, and nobody is to blame.
        PAUSE,
        /// Somebody wants the job to end.
        CANCEL,
        /// The device can no longer be trusted; the job goes on elsewhere.
        LEAVE_DEVICE,
        /// It does not get anywhere; that counts.
        HUNG
    }

    static final Wish HOST_STOPPING = new Wish(Kind.PAUSE, "HOST_STOPPING",
            "the service is stopping; the job goes on when it is back");
    static final Wish OUTSIDE_WINDOW = new Wish(Kind.PAUSE, "OUTSIDE_WINDOW",
            "jobs do not run at this time of the day; the job goes on when they do");
    static final Wish CANCEL = new Wish(Kind.CANCEL, "CANCELLED", "cancelled on request");

    static Wish draining(String reason) {
        return new Wish(Kind.PAUSE, "DRAINING", "the service takes a break: " + Words.shown(reason));
    }

    /// Whether this one counts although another was made before.
    boolean outranks(Wish before) {
        return kind == Kind.CANCEL && before.kind != Kind.CANCEL;
    }
}
