package nocturne.desk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import nocturne.promise.Promise;

/// Whatever somebody calls a job, its file lies in the inbox, under a name that the inbox takes.
final class SubmissionNamesTest {

    @Property(tries = 300, shrinking = ShrinkingMode.OFF)
    @Promise(row = 34, fault = "any text as --name")
    void everyNameStaysInTheInbox(@ForAll String name) throws IOException {
        Path folder = Files.createTempDirectory("names");
        Path inbox = Files.createDirectory(folder.resolve("inbox"));
        Path bundle = Files.createDirectory(folder.resolve("bundle-" + UUID.randomUUID()));
        Files.writeString(bundle.resolve("recipe.yaml"), "{}");
        Path file = new Submission(bundle.toString(), name, null, null, 0, false, null).toInbox(inbox, List.of());
        assertThat(file.getParent()).isEqualTo(inbox);
        assertThat(file.getFileName().toString()).matches("[^.~/\\p{Cntrl}][^/\\p{Cntrl}]*\\.zip");
        for (Path used : List.of(file, inbox, bundle.resolve("recipe.yaml"), bundle, folder)) Files.delete(used);
    }
}
