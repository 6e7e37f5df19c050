package nocturne.service.source;

import jakarta.inject.Singleton;
import java.net.URI;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Pattern;
import nocturne.service.BundleSource;

/// Sends each address to whom it concerns.
@Singleton
final class Sources implements BundleSource {
    private static final Pattern SHA256 = Pattern.compile("[0-9a-fA-F]{64}");

    private final FileSource files;
    private final WebSource web;
    private final S3Source s3;

    Sources(FileSource files, WebSource web, S3Source s3) {
        this.files = files;
        this.web = web;
        this.s3 = s3;
    }

    @Override
    public Path fetch(URI uri, String sha256, Path into) {
        if (!sha256.isEmpty() && !SHA256.matcher(sha256).matches()) {
            throw Refusals.refused(uri, "its sha256 has not the 64 hexadecimal digits that sha256sum prints");
        }
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        if (uri.isOpaque() || uri.getFragment() != null) throw Refusals.refused(uri, "is not a plain address");
        // Only a folder has none.
        if (sha256.isEmpty() && !scheme.equals("file")) throw Refusals.withoutHash(uri);
        return switch (scheme) {
            case "file" -> files.fetch(uri, sha256, into);
            case "https", "http" -> web.fetch(uri, sha256, into);
            case "s3" -> s3.fetch(uri, sha256, into);
            default -> throw Refusals.refused(uri, "begins with neither file:, https: nor s3:");
        };
    }
}
