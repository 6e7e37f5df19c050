package nocturne;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// SIGTERM, SIGINT and SIGHUP as a wish to stop: the first one is told, a second one ends the process at once.
///
/// A shutdown hook would not do: it can neither choose the exit code nor hear of the second signal. What does has no
/// name that the compiler lets through without a warning, so it is called by reflection; where it is missing, a signal
/// ends the process as usual, and the next start puts everything in order.
final class ServiceSignals {
    /// Exit code of a process that a signal ended, less the signal's number.
    private static final int BASE = 128;

    private final CompletableFuture<String> first = new CompletableFuture<>();
    private final AtomicBoolean asked = new AtomicBoolean();

    private ServiceSignals() {}

    static ServiceSignals caught() {
        ServiceSignals signals = new ServiceSignals();
        signals.listen("TERM", 15);
        signals.listen("INT", 2);
        signals.listen("HUP", 1);
        return signals;
    }

    private void listen(String name, int number) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object ours = Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler},
                    (proxy, method, arguments) -> answer(proxy, method, arguments, name, number));
            signal.getMethod("handle", signal, handler).invoke(null, signal.getConstructor(String.class)
                    .newInstance(name), ours);
        } catch (ReflectiveOperationException notHere) {
            // Not on this system, or kept by the virtual machine (-Xrs).
        }
    }

    private @Nullable Object answer(Object proxy, Method method, Object @Nullable [] arguments, String name,
            int number) {
        switch (method.getName()) {
            case "handle" -> came(name, number);
            case "equals" -> {
                return arguments != null && proxy == arguments[0];
            }
            case "hashCode" -> {
                return System.identityHashCode(proxy);
            }
            default -> {
                return "stops the service";
            }
        }
        return null;
    }

    private void came(String name, int number) {
        if (asked.getAndSet(true)) Runtime.getRuntime().halt(BASE + number);
        first.complete("SIG" + name);
    }

    /// Tells the name of the first signal, also if it came before.
    void tell(Consumer<String> listener) {
        var _ = first.thenAccept(listener);
    }
}
