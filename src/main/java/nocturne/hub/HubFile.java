package nocturne.hub;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.regex.Pattern;

/// One file of a model at a hub.
///
/// @param path  below the model's folder, with `/`; checked by [TreePaths]
/// @param bytes its length
/// @param hash  of its content: SHA-256 for a large file (64 digits), git's own for a small one (40 digits: SHA-1 of
///              `blob <length>`, a zero byte and the content)
record HubFile(String path, long bytes, String hash) {
    private static final Pattern HASH = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");

    HubFile {
        if (bytes < 0 || !HASH.matcher(hash).matches()) throw new IllegalArgumentException("no such file: " + path);
    }

    static boolean isHash(String text) {
        return HASH.matcher(text).matches();
    }

    /// A digest that its content, fed to it, turns into [#hash].
    MessageDigest digest() {
        try {
            if (hash.length() == 64) return MessageDigest.getInstance("SHA-256");
            MessageDigest digest = MessageDigest.getInstance("SHA-1");
            digest.update(("blob " + bytes + "\0").getBytes(StandardCharsets.US_ASCII));
            return digest;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has both", e);
        }
    }

    /// The name under which it arrives: of this content and no other, so a new revision does not go on with what is
    /// left of an old one.
    String partName() {
        return path + "." + hash.substring(0, 16) + ".part";
    }
}
