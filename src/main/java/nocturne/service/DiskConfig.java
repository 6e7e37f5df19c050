package nocturne.service;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;

/// How full the disks may become: `nocturne.disk`.
///
/// @param reserve bytes that stay free for the jobs that run: a bundle that would use them is not taken, and below no
///                job is started
@ConfigurationProperties("nocturne.disk")
public record DiskConfig(@Bindable(defaultValue = "1073741824") long reserve) {}
