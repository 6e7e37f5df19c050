package nocturne.adapter;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// An adapter as it was found in a file.
///
/// @param modules  by module name, in the model's order
/// @param metadata the strings of the file's header
/// @param notices  what the user should know about how the file was understood
public record AdapterWeights(
        SequencedMap<String, AdapterModule> modules, Map<String, String> metadata, List<String> notices) {
    public AdapterWeights {
        modules = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(modules));
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        notices = List.copyOf(notices);
    }
}
