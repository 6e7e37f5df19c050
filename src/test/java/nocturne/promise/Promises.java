package nocturne.promise;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// Several rows that one test proves.
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface Promises {
    Promise[] value();
}
