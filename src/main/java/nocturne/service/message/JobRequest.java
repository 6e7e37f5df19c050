package nocturne.service.message;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import nocturne.job.JobId;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// A request for a job: a bundle by its address, and what there is to say about it. The value of a record on the jobs
/// topic, or a `*.job.json` in the inbox:
///
/// ```
/// {"version": 1, "id": "maya-v2", "name": "Maya", "model": "qwen-image", "priority": 0, "rerun": false,
///  "bundle": {"uri": "https://studio.example/maya.zip", "sha256": "9f86..."}}
/// ```
///
/// Only `version` and `bundle.uri` must be there, and `bundle.sha256` for everything but a local folder.
///
/// @param id       the job id its sender wants; null for one made from the content
/// @param name     what the sender calls it; the bundle's file name where nothing is said
/// @param bundle   where the zip or folder is
/// @param model    a pipeline instead of the one the recipe names; null for the recipe's
/// @param priority higher goes first; 0 is usual
/// @param rerun    train again although the same content was trained before
public record JobRequest(@Nullable String id, String name, Bundle bundle, @Nullable String model, int priority,
        boolean rerun) {
    private static final Set<String> SCHEMES = Set.of("file", "https", "s3");
    private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");
    private static final int LONGEST_NAME = 200;
    private static final int LONGEST_ADDRESS = 4_000;
    private static final int MOST_URGENT = 1_000;

    /// @param uri    `file:`, `https:` or `s3:`
    /// @param sha256 of the zip, 64 lower-case hexadecimal digits; empty only for `file:`
    public record Bundle(URI uri, String sha256) {}

    /// Reads a request.
    ///
    /// @throws UserMistake with everything that is wrong
    public static JobRequest parse(byte[] message) {
        Fields fields = Fields.read(message);
        String id = fields.text("id", LONGEST_NAME);
        if (id != null && !JobId.isValid(id)) {
            fields.wrong("id", "\"%s\" is not allowed; 1 to 64 of a-z, 0-9 and -, beginning and ending with a letter"
                    .formatted(id) + " or digit");
        }
        String name = fields.text("name", LONGEST_NAME);
        String model = fields.text("model", LONGEST_NAME);
        if (model != null && !isPath(model)) {
            fields.wrong("model", "holds characters that no path has; a model's name, or the path of its folder");
        }
        Integer priority = fields.number("priority", -MOST_URGENT, MOST_URGENT);
        Boolean rerun = fields.flag("rerun");
        Bundle bundle = bundle(fields);
        fields.refuseOthers();
        fields.refuseIfWrong("the job request");
        Objects.requireNonNull(bundle, "a missing bundle is a problem");
        return new JobRequest(id, name == null ? nameOf(bundle.uri()) : name, bundle, model,
                priority == null ? 0 : priority, Boolean.TRUE.equals(rerun));
    }

    private static boolean isPath(String text) {
        try {
            return !Path.of(text).toString().isEmpty();
        } catch (InvalidPathException noPath) {
            return false;
        }
    }

    private static @Nullable Bundle bundle(Fields request) {
        Fields fields = request.object("bundle");
        if (fields == null) {
            if (!request.has("bundle")) request.wrong("bundle", "is missing; {\"uri\": ..., \"sha256\": ...}");
            return null;
        }
        URI uri = uri(fields);
        String hash = fields.text("sha256", LONGEST_NAME);
        if (hash != null) {
            hash = hash.toLowerCase(Locale.ROOT);
            if (!SHA_256.matcher(hash).matches()) {
                fields.wrong("sha256", "is not a SHA-256; the 64 hexadecimal digits that `sha256sum` prints");
            }
        } else if (uri != null && !"file".equals(uri.getScheme()) && !fields.has("sha256")) {
            fields.wrong("sha256", "is missing; what comes from elsewhere is checked against it");
        }
        fields.refuseOthers();
        return uri == null ? null : new Bundle(uri, hash == null ? "" : hash);
    }

    private static @Nullable URI uri(Fields bundle) {
        String text = bundle.text("uri", LONGEST_ADDRESS);
        if (text == null) {
            if (!bundle.has("uri")) bundle.wrong("uri", "is missing; an address such as https://host/maya.zip");
            return null;
        }
        try {
            URI uri = new URI(text);
            if (uri.getScheme() != null && SCHEMES.contains(uri.getScheme())) return uri;
        } catch (URISyntaxException broken) {
            // Said below.
        }
        bundle.wrong("uri", "is not an address that bundles come from; it begins with file:, https: or s3:");
        return null;
    }

    private static String nameOf(URI uri) {
        String path = uri.getPath() == null ? "" : uri.getPath().replaceFirst("/+$", "");
        String file = path.substring(path.lastIndexOf('/') + 1);
        String name = file.toLowerCase(Locale.ROOT).endsWith(".zip") ? file.substring(0, file.length() - 4) : file;
        return name.isBlank() ? "job" : name.substring(0, Math.min(name.length(), LONGEST_NAME));
    }
}
