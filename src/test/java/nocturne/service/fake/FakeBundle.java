package nocturne.service.fake;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// A bundle that passes every check (one picture, caption, recipe) and carries a script for the [FakeEngine].
///
/// @param name   of the recipe; part of the content, so that two names are two bundles
/// @param script lines of `fake.txt`, see [FakeScript]
public record FakeBundle(String name, List<String> script) {
    public FakeBundle {
        script = List.copyOf(script);
    }

    public static FakeBundle of(String name, String... script) {
        return new FakeBundle(name, List.of(script));
    }

    /// How many steps the script asks for.
    public long steps() {
        return script.stream().filter(line -> line.startsWith("steps ")).map(line -> Long.parseLong(line.substring(6)))
                .findFirst().orElse(20L);
    }

    /// Writes it as a folder.
    public Path folder(Path target) throws IOException {
        Files.createDirectories(target.resolve("pictures"));
        byte[] colour = FakeFiles.sha256(name.getBytes(StandardCharsets.UTF_8));
        Files.write(target.resolve("pictures/0001.png"), FakeFiles.picture(colour));
        Files.writeString(target.resolve("pictures/0001.txt"), "a thing called " + name + "\n");
        Files.writeString(target.resolve("recipe.yaml"), recipe());
        Files.write(target.resolve("fake.txt"), script);
        return target;
    }

    /// Writes it as a zip, under its final name at once.
    public Path zip(Path target) throws IOException {
        Path folder = folder(Files.createTempDirectory("fake-bundle-"));
        Path part = target.resolveSibling(target.getFileName() + ".part");
        try (OutputStream out = Files.newOutputStream(part); ZipOutputStream zip = new ZipOutputStream(out);
                Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                zip.putNextEntry(new ZipEntry(folder.relativize(file).toString()));
                Files.copy(file, zip);
                zip.closeEntry();
            }
        }
        Files.move(part, target);
        return target;
    }

    private String recipe() {
        return String.format(Locale.ROOT, """
                name: %s
                network: {type: lora, linear: 4, linear_alpha: 4}
                datasets:
                  - {folder_path: pictures, resolution: 64}
                train: {steps: %d, batch_size: 1, lr: 1e-4}
                model: {name_or_path: models/qwen-image-tiny}
                """, name, steps());
    }
}
