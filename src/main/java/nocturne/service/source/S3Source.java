package nocturne.service.source;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Bundles in buckets the operator listed.
///
/// The client library is slow to load, and most services never need it: it is touched by the first address only.
@Singleton
final class S3Source {
    private static final Pattern BUCKET = Pattern.compile("[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]");

    private final SourceConfig limits;
    private final S3Config config;
    private final Map<String, String> environment;
    private @Nullable S3Store store;

    @Inject
    S3Source(SourceConfig limits, S3Config config) {
        this(limits, config, System.getenv());
    }

    S3Source(SourceConfig limits, S3Config config, Map<String, String> environment) {
        this.limits = limits;
        this.config = config;
        this.environment = environment;
    }

    Path fetch(URI uri, String sha256, Path into) {
        String bucket = String.valueOf(uri.getRawAuthority());
        String key = uri.getPath() == null ? "" : uri.getPath().replaceFirst("^/", "");
        if (!BUCKET.matcher(bucket).matches() || key.isEmpty() || uri.getRawQuery() != null) {
            throw Refusals.refused(uri, "must look like s3://bucket/folder/maya.zip");
        }
        if (!config.buckets().contains(bucket)) {
            throw Refusals.refused(uri, "is not in a bucket that this service may read; its operator lists them in"
                    + " nocturne.sources.s3.buckets");
        }
        return store().fetch(uri, bucket, key, into, new Receipt(uri, sha256, limits.maxBytes()));
    }

    private synchronized S3Store store() {
        if (store == null) store = new S3Store(limits, config, S3Credentials.of(config, environment));
        return store;
    }
}
