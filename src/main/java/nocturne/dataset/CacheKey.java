package nocturne.dataset;

import nocturne.io.ContentHash;

/// The name of a cache entry: a hash of everything that decides its value, so that a changed picture, crop, caption
/// or model has another name and nothing ever needs to be declared stale.
///
/// @param kind what is cached, such as `latents`; names a sub-folder
/// @param hash 64 hexadecimal digits
public record CacheKey(String kind, String hash) {
    /// Raised when the same determinants begin to mean other values (a corrected formula, another layout).
    private static final int FORMAT = 1;

    public CacheKey {
        if (!kind.matches("[a-z][a-z0-9-]*")) throw new IllegalArgumentException("kind " + kind);
        if (!hash.matches("[0-9a-f]{64}")) throw new IllegalArgumentException("hash " + hash);
    }

    /// @param determinants all that decides the value, in a fixed order: hashes of pixels or text, of the model part
    public static CacheKey of(String kind, String... determinants) {
        ContentHash hash = new ContentHash().add(FORMAT).add(kind);
        for (String determinant : determinants) hash.add(determinant);
        return new CacheKey(kind, hash.hex());
    }
}
