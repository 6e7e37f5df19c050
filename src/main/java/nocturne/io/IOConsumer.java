package nocturne.io;

import java.io.IOException;

/// Takes something and may fail as files do.
@FunctionalInterface
public interface IOConsumer<T> {
    void accept(T value) throws IOException;
}
