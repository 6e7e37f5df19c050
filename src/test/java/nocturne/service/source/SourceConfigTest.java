package nocturne.service.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.micronaut.context.ApplicationContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import nocturne.service.BundleSource;
import org.junit.jupiter.api.Test;

/// What an operator writes becomes what the sources obey.
class SourceConfigTest {
    @Test
    void everyKeyIsRead() {
        try (ApplicationContext context = ApplicationContext.builder(Map.ofEntries(
                Map.entry("nocturne.sources.file-roots", "/srv/bundles,/mnt/nas"),
                Map.entry("nocturne.sources.hosts", "a.example.org,*.b.example.org"),
                Map.entry("nocturne.sources.internal-hosts", "nas:8443"),
                Map.entry("nocturne.sources.insecure-hosts", "nas"),
                Map.entry("nocturne.sources.max-bytes", "3GB"),
                Map.entry("nocturne.sources.timeout", "5m"),
                Map.entry("nocturne.sources.patience", "7s"),
                Map.entry("nocturne.sources.minimum-rate", "1KB"),
                Map.entry("nocturne.sources.s3.endpoint", "https://minio.example.org:9000"),
                Map.entry("nocturne.sources.s3.region", "eu-west-3"),
                Map.entry("nocturne.sources.s3.path-style", "false"),
                Map.entry("nocturne.sources.s3.buckets", "bundles,more"),
                Map.entry("nocturne.sources.s3.access-key-file", "/run/secrets/id"),
                Map.entry("nocturne.sources.s3.secret-key-file", "/run/secrets/key"))).start()) {
            SourceConfig config = context.getBean(SourceConfig.class);
            assertThat(config.fileRoots()).containsExactly(Path.of("/srv/bundles"), Path.of("/mnt/nas"));
            assertThat(config.hosts()).containsExactly("a.example.org", "*.b.example.org");
            assertThat(config.internalHosts()).containsExactly("nas:8443");
            assertThat(config.insecureHosts()).containsExactly("nas");
            assertThat(config.maxBytes()).isEqualTo(3L << 30);
            assertThat(config.timeout()).isEqualTo(Duration.ofMinutes(5));
            assertThat(config.patience()).isEqualTo(Duration.ofSeconds(7));
            assertThat(config.minimumRate()).isEqualTo(1024);
            S3Config s3 = context.getBean(S3Config.class);
            assertThat(s3.endpoint()).hasToString("https://minio.example.org:9000");
            assertThat(s3.region()).isEqualTo("eu-west-3");
            assertThat(s3.pathStyle()).isFalse();
            assertThat(s3.buckets()).containsExactly("bundles", "more");
            assertThat(s3.accessKeyFile()).isEqualTo(Path.of("/run/secrets/id"));
            assertThat(s3.secretKeyFile()).isEqualTo(Path.of("/run/secrets/key"));
        }
    }

    @Test
    void whereNothingIsWrittenNothingIsOpen() {
        try (ApplicationContext context = ApplicationContext.builder().properties(Map.of("nocturne.home", ".",
                "nocturne.host", "studio")).start()) {
            SourceConfig config = context.getBean(SourceConfig.class);
            assertThat(config.fileRoots()).isEmpty();
            assertThat(config.hosts()).isEmpty();
            assertThat(config.internalHosts()).isEmpty();
            assertThat(config.insecureHosts()).isEmpty();
            assertThat(config.maxBytes()).isEqualTo(8L << 30);
            assertThat(context.getBean(S3Config.class).buckets()).isEmpty();
            assertThat(context.getBean(BundleSource.class)).isInstanceOf(Sources.class);
        }
    }
}
