package nocturne.cuda;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder.request;

import java.util.List;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherFactory;

/// Runs test classes from within a test, for what they compare; how they end is told by their own run. The tests of one
/// JVM are not all: another may have run the twins, or will.
final class TwinRun {
    private TwinRun() {}

    /// Runs those of them that have compared nothing in this JVM so far.
    static void ofWhatIsMissing(List<Class<?>> twins) throws InterruptedException {
        // On a stack of its own: an operation is noted under the outermost test there.
        Thread comparing = Thread.ofPlatform().start(() -> {
            for (Class<?> twin : twins) {
                if (!TwinList.ofThisRun().haveRun(List.of(twin))) run(twin);
            }
        });
        comparing.join();
    }

    private static void run(Class<?> twin) {
        LauncherConfig unheard = LauncherConfig.builder().enableTestExecutionListenerAutoRegistration(false).build();
        LauncherFactory.create(unheard).execute(request().selectors(selectClass(twin)).build());
    }
}
