package nocturne.service.source;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Where `s3:` leads: `nocturne.sources.s3.*`.
///
/// The key comes from two files, as container systems mount secrets, or else from `AWS_ACCESS_KEY_ID`,
/// `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`. With neither, requests are not signed, as public buckets allow.
///
/// @param endpoint      of a store that is not Amazon's, such as `https://minio.example.org:9000`
/// @param region        that requests are signed for
/// @param pathStyle     whether the bucket stands in the path (most stores) or in the host name (Amazon)
/// @param buckets       that may be read
/// @param accessKeyFile holds the key's id
/// @param secretKeyFile holds the key
@ConfigurationProperties("nocturne.sources.s3")
record S3Config(
        @Nullable URI endpoint,
        @Bindable(defaultValue = "us-east-1") String region,
        @Bindable(defaultValue = "true") boolean pathStyle,
        @Bindable(defaultValue = "") List<String> buckets,
        @Nullable Path accessKeyFile,
        @Nullable Path secretKeyFile) {
    S3Config {
        buckets = SourceConfig.written(buckets);
    }
}
