package nocturne.promise;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Two JVMs of a run are two objects here; what they share is the folder.
class RunNotesTest {
    record Note(String test, int count) {}

    @TempDir
    Path folder;

    private final List<Note> list = new ArrayList<>();

    private RunNotes<Note> jvmOf(String run) {
        return new RunNotes<>(folder.resolve("notes"), run, Note.class);
    }

    private void write(List<Note> notes) {
        list.clear();
        list.addAll(notes);
    }

    @Test
    void theListIsWholeWhoeverIsLast() {
        jvmOf("monday").add(List.of(new Note("a", 1), new Note("b", 2)), this::write);
        assertThat(list).containsExactly(new Note("a", 1), new Note("b", 2));
        jvmOf("monday").add(List.of(new Note("c | \"d\"\n", 3)), this::write);
        assertThat(list).containsExactly(new Note("a", 1), new Note("b", 2), new Note("c | \"d\"\n", 3));
        jvmOf("monday").add(List.of(new Note("a", 1)), this::write);
        assertThat(list).hasSize(3);
    }

    @Test
    void anEarlierRunIsForgotten() {
        jvmOf("monday").add(List.of(new Note("a", 1)), this::write);
        jvmOf("tuesday").add(List.of(new Note("b", 2)), this::write);
        assertThat(list).containsExactly(new Note("b", 2));
    }
}
