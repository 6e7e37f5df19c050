package nocturne.service.route;

import io.micronaut.context.ApplicationContext;
import io.micronaut.context.BeanRegistration;
import io.micronaut.inject.qualifiers.Qualifiers;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.apache.camel.spi.BeanRepository;
import org.jspecify.annotations.Nullable;

/// Lets routes call Micronaut's beans by their names: `@Named("inbox")` is `ref: inbox`, or `"#inbox"` as an option.
final class MicronautBeans implements BeanRepository {
    private final ApplicationContext context;

    MicronautBeans(ApplicationContext context) {
        this.context = context;
    }

    @Override
    public @Nullable Object lookupByName(String name) {
        return lookupByNameAndType(name, Object.class);
    }

    @Override
    public <T> @Nullable T lookupByNameAndType(String name, Class<T> type) {
        return context.findBean(type, Qualifiers.byName(name)).orElse(null);
    }

    @Override
    public <T> Map<String, T> findByTypeWithName(Class<T> type) {
        Map<String, T> found = new LinkedHashMap<>();
        for (BeanRegistration<T> bean : context.getBeanRegistrations(type)) {
            found.put(bean.getIdentifier().getName(), bean.bean());
        }
        return found;
    }

    @Override
    public <T> Set<T> findByType(Class<T> type) {
        return new LinkedHashSet<>(context.getBeansOfType(type));
    }
}
