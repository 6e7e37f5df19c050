package nocturne.service.route;

import jakarta.inject.Singleton;
import java.util.ArrayDeque;
import java.util.Deque;
import nocturne.service.Part;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Starts the routes that bring something in, when all that it needs is running. A route with `autoStartup: false` is
/// left to whoever opens and closes it.
@Singleton
final class Doors implements Part {
    private static final Logger LOG = LoggerFactory.getLogger(Doors.class);

    private final CamelContext camel;
    private final Deque<Route> open = new ArrayDeque<>();

    Doors(CamelContext camel) {
        this.camel = camel;
    }

    @Override
    public int getOrder() {
        return OPENING;
    }

    @Override
    public void start() {
        for (Route route : camel.getRoutes()) {
            if (Carriers.isCarrier(route) || Boolean.FALSE.equals(route.isAutoStartup())) continue;
            Carriers.start(camel, route);
            open.push(route);
        }
    }

    @Override
    public void stop() {
        for (Route route : open) {
            try {
                camel.getRouteController().stopRoute(route.getRouteId());
            } catch (Exception e) {
                LOG.warn("route {} did not stop in time: {}", route.getRouteId(), e.getMessage());
            }
        }
    }
}
