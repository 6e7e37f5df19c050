package nocturne.service.route;

import io.micronaut.context.ApplicationContext;
import io.micronaut.context.annotation.Bean;
import io.micronaut.context.annotation.Factory;
import jakarta.inject.Singleton;
import nocturne.service.ServiceConfig;
import org.apache.camel.CamelContext;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultRegistry;

/// Camel, without routes yet; [Carriers] loads them.
@Factory
final class CamelFactory {
    /// How long a route may take to finish what it has begun.
    private static final long PATIENCE_SECONDS = 30;

    @Singleton
    @Bean(preDestroy = "stop")
    CamelContext camel(ApplicationContext context, ServiceConfig config) {
        DefaultCamelContext camel = new DefaultCamelContext(new DefaultRegistry(new MicronautBeans(context)));
        camel.getCamelContextExtension().setName("nocturne");
        camel.getPropertiesComponent().addPropertiesSource(new MicronautSettings(context, config));
        camel.getShutdownStrategy().setTimeout(PATIENCE_SECONDS);
        camel.getShutdownStrategy().setLogInflightExchangesOnTimeout(false);
        // Messages are files and events; nobody reads Camel's own history of them.
        camel.setMessageHistory(false);
        camel.setLoadTypeConverters(false);
        return camel;
    }
}
