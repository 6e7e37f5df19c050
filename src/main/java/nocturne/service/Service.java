package nocturne.service;

import io.micronaut.context.ApplicationContext;
import io.micronaut.core.order.OrderUtil;
import io.micronaut.runtime.server.EmbeddedServer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import nocturne.event.Event;
import nocturne.job.Ledger;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.service.log.LogConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The whole service: its parts, put together by Micronaut, started in order and stopped the other way round.
public final class Service {
    private static final Logger LOG = LoggerFactory.getLogger(Service.class);
    /// What the parts may take beyond the trainers' grace.
    private static final Duration WINDING_UP = Duration.ofSeconds(15);

    private final ApplicationContext context;
    private final Deque<Part> started = new ArrayDeque<>();

    private Service(ApplicationContext context) {
        this.context = context;
    }

    /// Starts everything; what was started before something failed is stopped again.
    ///
    /// @throws UserMistake `CONFIG_INVALID`, `ROUTE_INVALID`, `WORK_IN_USE`, `PORT_IN_USE`
    /// @throws SickMachine if the disk refuses
    public static Service start(Startup startup) {
        long begin = System.nanoTime();
        Configuration configuration = Configuration.of(startup);
        ApplicationContext context = configuration.context();
        Service service = new Service(context);
        try {
            context.start();
            List<String> warnings = new ConfigurationCheck(context, configuration).run();
            context.getBean(LogConfig.class).logFormat().use();
            warnings.forEach(LOG::warn);
            service.startParts(startup.version(), begin);
            return service;
        } catch (RuntimeException e) {
            service.stopParts();
            context.close();
            throw Causes.find(UserMistake.class, e).map(RuntimeException.class::cast)
                    .or(() -> Causes.find(SickMachine.class, e)).orElse(e);
        }
    }

    private void startParts(String version, long begin) {
        ServiceConfig config = context.getBean(ServiceConfig.class);
        Ledger ledger = context.getBean(Ledger.class);
        HostJournal host = context.getBean(HostJournal.class);
        List<Part> parts = context.getBeansOfType(Part.class).stream().sorted(OrderUtil.COMPARATOR).toList();
        for (Part part : parts) {
            // Noted first: what fails half way may have to be stopped as well.
            started.push(part);
            part.start();
        }
        List<String> slots = context.findBean(Slots.class).map(Slots::names).orElse(List.of());
        host.record(new Event.HostStarted(version, slots));
        context.getBean(Lifecycle.class).hasStarted();
        LOG.info("ready after {} ms: host {}, inbox {}, {} jobs known, management on {}",
                Duration.ofNanos(System.nanoTime() - begin).toMillis(), config.host(), config.inbox(),
                ledger.jobs().size(), context.getBean(EmbeddedServer.class).getURI());
    }

    /// Asks for an orderly end, which [#runUntilStopped] then brings about.
    public void requestStop(String reason) {
        context.getBean(Lifecycle.class).requestStop(reason);
    }

    /// Waits until somebody asks for the end, and brings it about: nothing more is taken, trainers save their state,
    /// what is left to tell is told. Returns after the trainers' grace and a little more at the latest.
    public void runUntilStopped() {
        String reason = context.getBean(Lifecycle.class).awaitStopRequest();
        Duration patience = context.getBean(ServiceConfig.class).grace().plus(WINDING_UP);
        Thread stopping = Thread.ofPlatform().daemon().name("stopping").start(() -> stop(reason));
        try {
            if (!stopping.join(patience)) {
                LOG.warn("not everything has stopped after {} s; leaving it as it is, the next start puts it in order",
                        patience.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void stop(String reason) {
        long begin = System.nanoTime();
        LOG.info("stopping: {}", reason);
        try {
            context.getBean(HostJournal.class).record(new Event.HostDraining(reason));
        } catch (SickMachine e) {
            LOG.warn("{}", e.getMessage());
        }
        stopParts();
        context.close();
        LOG.info("stopped after {} ms", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin));
    }

    private void stopParts() {
        while (!started.isEmpty()) {
            Part part = started.pop();
            try {
                part.stop();
            } catch (RuntimeException e) {
                // The others must still get their turn.
                LOG.error("stopping {}", part.getClass().getSimpleName(), e);
            }
        }
    }
}
