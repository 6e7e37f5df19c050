package nocturne.service;

import io.micronaut.core.order.Ordered;

/// A part of the service that has a beginning and an end. Every bean of this type is started in the order of
/// [#getOrder], lowest first, once the ledger is in order, and stopped the other way round.
///
/// So a full disk or a sick device stops the service from taking jobs before it has taken any, and what takes jobs ends
/// before what runs them, which ends before what tells the world.
public interface Part extends Ordered {
    /// Shows how the service is: health and metrics.
    int SHOWING = 0;
    /// Routes that carry what other parts give them, such as events to Kafka.
    int CARRYING = 50;
    /// Tells the world: journals to Kafka and webhooks, files to the outbox.
    int PUBLISHING = 100;
    /// Runs jobs on devices.
    int RUNNING = 200;
    /// Takes jobs in: the inbox, commands, Kafka.
    int TAKING = 300;
    /// Opens the doors: routes that bring something in from outside.
    int OPENING = 400;

    /// @throws RuntimeException if the service cannot work without this part and it cannot work
    void start();

    /// Returns when nothing of this part is under way any more; called once, and on the way down only.
    void stop();
}
