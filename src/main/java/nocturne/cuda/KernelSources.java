package nocturne.cuda;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Collections;
import java.util.SequencedMap;
import java.util.TreeMap;
import nocturne.io.ContentHash;

/// The sources of all kernels: the files of `kernels/`, which the program brings along.
///
/// @param units   text by family, such as `elementwise`: each is compiled by itself
/// @param headers text by file name, as the units include them
record KernelSources(SequencedMap<String, String> units, SequencedMap<String, String> headers) {
    static final String RESOURCES = "nocturne/kernels";
    private static final String UNIT = ".cu";
    private static final String HEADER = ".cuh";

    KernelSources {
        units = Collections.unmodifiableSequencedMap(new TreeMap<>(units));
        headers = Collections.unmodifiableSequencedMap(new TreeMap<>(headers));
    }

    /// Those in the program's jar, or among its classes.
    static KernelSources ofProgram() {
        CodeSource program = KernelSources.class.getProtectionDomain().getCodeSource();
        try {
            Path place = Path.of(program.getLocation().toURI());
            if (Files.isDirectory(place)) return in(place.resolve(RESOURCES));
            try (FileSystem jar = FileSystems.newFileSystem(place)) {
                return in(jar.getPath(RESOURCES));
            }
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException("the program cannot read its own kernels", e);
        }
    }

    /// Those of a folder, without its subfolders.
    static KernelSources in(Path folder) throws IOException {
        SequencedMap<String, String> units = new TreeMap<>();
        SequencedMap<String, String> headers = new TreeMap<>();
        if (!Files.isDirectory(folder)) return new KernelSources(units, headers);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                String name = String.valueOf(file.getFileName());
                if (name.endsWith(UNIT)) {
                    units.put(name.substring(0, name.length() - UNIT.length()), Files.readString(file));
                } else if (name.endsWith(HEADER)) {
                    headers.put(name, Files.readString(file));
                }
            }
        }
        return new KernelSources(units, headers);
    }

    /// The name of a family's file, for messages.
    static String file(String family) {
        return "kernels/" + family + UNIT;
    }

    String unit(String family) {
        String text = units.get(family);
        if (text == null) throw new IllegalArgumentException("no kernels of the family " + family);
        return text;
    }

    /// Of everything that one family is compiled from.
    String hash(String family) {
        ContentHash hash = new ContentHash().add(family).add(unit(family));
        headers.forEach((name, text) -> hash.add(name).add(text));
        return hash.hex();
    }

    /// Of everything.
    String hash() {
        ContentHash hash = new ContentHash();
        units.keySet().forEach(family -> hash.add(hash(family)));
        return hash.hex();
    }
}
