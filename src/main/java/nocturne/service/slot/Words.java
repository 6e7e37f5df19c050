package nocturne.service.slot;

import java.util.regex.Pattern;

/// Makes words of a trainer fit for messages that travel further than its log.
final class Words {
    private static final int LONGEST = 1000;
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cc}\\p{Cf}&&[^\\n]]+");
    /// `password=x`, `"token": "x"`, `https://user:x@host`, and the shape of keys of large clouds.
    private static final Pattern SECRET = Pattern.compile(
            "(?i)((?:password|passwd|secret|token|api[_-]?key|authorization)[\"']?\\s*[:=]\\s*[\"']?)[^\\s\"',;]+"
                    + "|(://[^/\\s:@]*:)[^/\\s@]+(?=@)|\\b(?:AKIA|ASIA)[A-Z0-9]{16}\\b|\\bhf_[A-Za-z0-9]{20,}\\b");

    private Words() {}

    /// Without control characters and secrets, and not longer than a message should be; the end is what counts.
    static String shown(String text) {
        String plain = CONTROL.matcher(text).replaceAll(" ");
        String safe = SECRET.matcher(plain).replaceAll(found ->
                (found.group(1) != null ? "$1" : found.group(2) != null ? "$2" : "") + "***");
        return safe.length() <= LONGEST ? safe : "... " + safe.substring(safe.length() - LONGEST);
    }
}
