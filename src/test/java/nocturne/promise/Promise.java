package nocturne.promise;

import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// Says which row of the promise table (docs/promises.md) a test proves, and what it does to the service to prove it.
/// After the tests, `target/promises.md` lists every row with its tests and their results.
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Repeatable(Promises.class)
public @interface Promise {
    /// Number of the row.
    int row();

    /// The fault injected, in a few words: `kill -9 between journal and rename, 50 times`.
    String fault();

    /// What stands in for hardware or hosts that are not there, such as `scripted GPU feed`; empty where all is real.
    String with() default "";
}
