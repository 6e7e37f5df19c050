package nocturne.service.route;

import io.micronaut.context.annotation.Value;
import jakarta.inject.Singleton;
import nocturne.problem.UserMistake;
import nocturne.service.Part;
import nocturne.service.ServiceConfig;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;

/// Loads all routes and starts those that other parts give something to carry, such as events to Kafka.
@Singleton
final class Carriers implements Part {
    private final CamelContext camel;
    private final RouteFolder folder;

    Carriers(CamelContext camel, ServiceConfig config, @Value("${nocturne.kafka.brokers:}") String brokers) {
        this.camel = camel;
        this.folder = new RouteFolder(config.routes(), !brokers.isBlank());
    }

    @Override
    public int getOrder() {
        return CARRYING;
    }

    @Override
    public void start() {
        // Nothing starts by itself: a door that opens now would let in what nobody can take yet.
        camel.setAutoStartup(false);
        camel.start();
        folder.loadInto(camel);
        for (Route route : camel.getRoutes()) {
            if (isCarrier(route)) start(camel, route);
        }
    }

    @Override
    public void stop() {
        camel.stop();
    }

    /// Whether the route waits for what others in this service give it, and not for something from outside.
    static boolean isCarrier(Route route) {
        return route.getEndpoint().getEndpointUri().startsWith("direct:");
    }

    /// @throws UserMistake if the route cannot be started as it is written
    static void start(CamelContext camel, Route route) {
        try {
            camel.getRouteController().startRoute(route.getRouteId());
        } catch (Exception e) {
            throw RouteFolder.broken("route " + route.getRouteId(), e);
        }
    }
}
