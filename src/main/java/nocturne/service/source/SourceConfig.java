package nocturne.service.source;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import io.micronaut.core.convert.format.ReadableBytes;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import nocturne.io.TransferWatch;

/// What may be fetched from where: `nocturne.sources.*`. With nothing listed, nothing is fetched.
///
/// A host in the lists is `bundles.example.org` (at the scheme's own port), `bundles.example.org:8443`,
/// `*.example.org` (what is below it), or `*` (any, for [#hosts] alone).
///
/// @param fileRoots     folders below which `file:` addresses may lie
/// @param hosts         whom `https:` may be asked of, at public addresses
/// @param internalHosts the same, at private or loopback addresses too
/// @param insecureHosts who may be asked by plain `http:`; they stand in one of the other lists as well
/// @param maxBytes      of one bundle
/// @param timeout       for one bundle, from the first packet to the last
/// @param patience      how long nothing much may happen: in each such span, `minimumRate` must be kept
/// @param minimumRate   bytes a second
@ConfigurationProperties("nocturne.sources")
record SourceConfig(
        @Bindable(defaultValue = "") List<Path> fileRoots,
        @Bindable(defaultValue = "") List<String> hosts,
        @Bindable(defaultValue = "") List<String> internalHosts,
        @Bindable(defaultValue = "") List<String> insecureHosts,
        @Bindable(defaultValue = "8GB") @ReadableBytes long maxBytes,
        @Bindable(defaultValue = "30m") Duration timeout,
        @Bindable(defaultValue = "20s") Duration patience,
        @Bindable(defaultValue = "16KB") @ReadableBytes long minimumRate) {
    SourceConfig {
        fileRoots = written(fileRoots);
        hosts = written(hosts);
        internalHosts = written(internalHosts);
        insecureHosts = written(insecureHosts);
        if (maxBytes < 1 || minimumRate < 0 || !timeout.isPositive() || !patience.isPositive()) {
            throw new IllegalArgumentException("max-bytes, timeout and patience must be more than nothing");
        }
    }

    TransferWatch.Bounds bounds() {
        return new TransferWatch.Bounds(timeout, patience, minimumRate);
    }

    /// Without the empty word that an empty setting becomes: as a folder it would be the one we were started in.
    static <T> List<T> written(List<T> words) {
        return words.stream().filter(word -> !word.toString().isBlank()).toList();
    }
}
