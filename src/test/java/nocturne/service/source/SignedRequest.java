package nocturne.service.source;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import nocturne.io.ContentHash;

/// Recomputes the signature of a GET as a store does it (AWS Signature Version 4), from the request's text alone.
record SignedRequest(String method, String path, String query, Map<String, String> headers) {
    private static final Pattern AUTHORIZATION = Pattern.compile("AWS4-HMAC-SHA256 Credential=([^/]+)/(\\d{8})/([^/]+)"
            + "/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})");

    static SignedRequest of(String request) {
        String[] lines = request.split("\r\n");
        String[] first = lines[0].split(" ");
        String[] target = first[1].split("\\?", 2);
        Map<String, String> headers = new HashMap<>();
        for (String line : Arrays.asList(lines).subList(1, lines.length)) {
            int colon = line.indexOf(':');
            headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
        }
        return new SignedRequest(first[0], target[0], target.length > 1 ? target[1] : "", headers);
    }

    boolean isSigned() {
        return headers.containsKey("authorization");
    }

    /// Whether it was signed with this key, for the host it was sent to.
    boolean isSignedWith(String accessKey, String secretKey, String region) {
        Matcher given = AUTHORIZATION.matcher(headers.getOrDefault("authorization", ""));
        if (!given.matches() || !given.group(1).equals(accessKey) || !given.group(3).equals(region)) return false;
        if (!Arrays.asList(given.group(4).split(";")).contains("host")) return false;
        StringBuilder canonical = new StringBuilder(method + "\n" + path + "\n" + query + "\n");
        for (String name : given.group(4).split(";")) {
            canonical.append(name).append(':').append(headers.get(name).replaceAll(" +", " ")).append('\n');
        }
        canonical.append('\n').append(given.group(4)).append('\n').append(headers.get("x-amz-content-sha256"));
        String scope = given.group(2) + "/" + region + "/s3/aws4_request";
        String toSign = "AWS4-HMAC-SHA256\n" + headers.get("x-amz-date") + "\n" + scope + "\n"
                + ContentHash.ofBytes(canonical.toString().getBytes(StandardCharsets.UTF_8));
        byte[] key = ("AWS4" + secretKey).getBytes(StandardCharsets.UTF_8);
        for (String part : scope.split("/")) key = hmac(key, part);
        return HexFormat.of().formatHex(hmac(key, toSign)).equals(given.group(5));
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
