package nocturne.ledger;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// Says which rows of the ledger of demands (docs/ledger.md) a test shows to be honoured.
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface Ledger {
    /// Ids of rows, such as `S1-25`.
    String[] value();
}
