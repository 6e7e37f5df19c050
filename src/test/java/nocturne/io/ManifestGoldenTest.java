package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import nocturne.golden.Golden;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Every golden file is the one its manifest describes: bytes, hash, and each tensor's name, type and shape.
class ManifestGoldenTest {
    @TestFactory
    Stream<DynamicTest> everyFileReadsAsTheManifestSays() {
        JsonNode manifest = Golden.json("golden/manifest.json");
        return Golden.names(manifest).stream().map(file -> DynamicTest.dynamicTest(file, () -> {
            JsonNode expected = manifest.path(file);
            String path = "golden/" + file;
            assertThat(Golden.path(path)).hasSize(expected.path("bytes").longValue());
            assertThat(ContentHash.ofFile(Golden.path(path))).isEqualTo(expected.path("sha256").textValue());
            if (!file.endsWith(".safetensors")) return;
            TensorSource tensors = Golden.tensors(path);
            List<String> described = new ArrayList<>(Golden.names(expected.path("tensors")));
            // The manifest cuts long lists short: its last member then is "...", saying "112 tensors in all".
            if (described.remove("...")) {
                int all = Integer.parseInt(expected.path("tensors").path("...").textValue().split(" ", 2)[0]);
                assertThat(tensors.tensors().keySet()).hasSize(all).containsAll(described);
            } else {
                assertThat(tensors.tensors().keySet()).containsExactlyInAnyOrderElementsOf(described);
            }
            for (String name : described) {
                TensorEntry entry = tensors.entry(name);
                JsonNode form = expected.path("tensors").path(name);
                assertThat(entry.dtype().name()).as(name).isEqualTo(form.path(0).textValue());
                List<Long> shape = new ArrayList<>();
                for (JsonNode size : form.path(1)) shape.add(size.longValue());
                assertThat(entry.shape()).as(name).isEqualTo(shape);
            }
        }));
    }
}
