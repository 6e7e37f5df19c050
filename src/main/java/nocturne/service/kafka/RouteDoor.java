package nocturne.service.kafka;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.apache.camel.CamelContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Opens and closes the jobs route: a member of the group is who could start a job at once. A member that is busy would
/// keep its partitions, and what waits there, from those who are not.
final class RouteDoor {
    private static final Logger LOG = LoggerFactory.getLogger(RouteDoor.class);
    private static final long CLOSING_SECONDS = 30;

    private final CamelContext camel;
    private final String route;
    private final BooleanSupplier wanted;
    private final ExecutorService turns =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("kafka-door").factory());
    private final AtomicBoolean isAsked = new AtomicBoolean();
    private boolean open;
    private String complaint = "";

    /// @param wanted whether the door should be open now
    RouteDoor(CamelContext camel, String route, BooleanSupplier wanted) {
        this.camel = camel;
        this.route = route;
        this.wanted = wanted;
    }

    /// Looks whether the door is as it should be. Returns at once; harmless to call often.
    void look() {
        if (!isAsked.compareAndSet(false, true)) return;
        try {
            turns.execute(this::turn);
        } catch (RejectedExecutionException closed) {
            // It stays closed.
        }
    }

    private void turn() {
        isAsked.set(false);
        set(wanted.getAsBoolean());
    }

    private void set(boolean next) {
        if (next == open) return;
        try {
            if (next) camel.getRouteController().startRoute(route);
            else camel.getRouteController().stopRoute(route, CLOSING_SECONDS, TimeUnit.SECONDS);
            open = next;
            complaint = "";
        } catch (Exception e) {
            String message = "route %s did not %s: %s".formatted(route, next ? "start" : "stop", e.getMessage());
            if (!message.equals(complaint)) LOG.warn(message);
            complaint = message;
        }
    }

    /// Closes it for good.
    void close() {
        turns.shutdown();
        try {
            if (!turns.awaitTermination(CLOSING_SECONDS, TimeUnit.SECONDS)) return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        set(false);
    }
}
