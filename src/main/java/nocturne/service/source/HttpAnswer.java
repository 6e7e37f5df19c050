package nocturne.service.source;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/// What a server says to one GET, as HTTP/1.1 has it (RFC 9112), on a connection that is used once.
///
/// Our own few lines, because the JDK's clients connect to a name, and we must connect to the address that was
/// checked. They also follow redirects, keep cookies and ask proxies, none of which we want.
///
/// @param status  such as 200
/// @param headers by lower-case name; of several with one name the last
/// @param body    bounded as the headers say, or by the connection's end
record HttpAnswer(int status, Map<String, String> headers, InputStream body) {
    private static final int MOST_HEADER_BYTES = 1 << 16;
    private static final int MOST_INTERIM_ANSWERS = 10;

    /// @param host with its port if that is not the usual one
    static HttpAnswer get(URI uri, String host, InputStream in, OutputStream out) throws IOException {
        String request = """
                GET %s HTTP/1.1
                Host: %s
                User-Agent: nocturne
                Accept: */*
                Accept-Encoding: identity
                Connection: close

                """.formatted(target(uri), host).replace("\n", "\r\n");
        out.write(request.getBytes(StandardCharsets.US_ASCII));
        out.flush();
        for (int i = 0; i < MOST_INTERIM_ANSWERS; i++) {
            HttpAnswer answer = read(in);
            if (answer.status >= 200) return answer;
        }
        throw new IOException("the server never comes to its answer");
    }

    /// What follows the host, in ASCII; at least `/`.
    private static String target(URI uri) {
        String whole = uri.toASCIIString();
        int authority = whole.indexOf("//") + 2;
        String rest = whole.substring(authority).replaceFirst("^[^/?]*", "");
        return rest.startsWith("/") ? rest : "/" + rest;
    }

    /// How long the body is said to be; 0 if nothing is said.
    long announcedBytes() {
        String length = headers.getOrDefault("content-length", "");
        return length.matches("\\d{1,18}") ? Long.parseLong(length) : 0;
    }

    private static HttpAnswer read(InputStream in) throws IOException {
        int[] left = {MOST_HEADER_BYTES};
        String[] first = line(in, left).split(" ", 3);
        if (first.length < 2 || !first[0].startsWith("HTTP/1.") || !first[1].matches("[1-5]\\d\\d")) {
            throw new IOException("the answer is not HTTP");
        }
        Map<String, String> headers = new HashMap<>();
        for (String line = line(in, left); !line.isEmpty(); line = line(in, left)) {
            int colon = line.indexOf(':');
            if (colon < 1) throw new IOException("the answer is not HTTP");
            headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
        }
        return new HttpAnswer(Integer.parseInt(first[1]), headers, body(headers, in));
    }

    private static InputStream body(Map<String, String> headers, InputStream in) throws IOException {
        String coding = headers.getOrDefault("transfer-encoding", "");
        if (coding.equalsIgnoreCase("chunked")) return new Chunks(in);
        if (!coding.isEmpty()) throw new IOException("the answer is encoded in a way that was not asked for");
        String length = headers.get("content-length");
        if (length == null) return in;
        if (!length.matches("\\d{1,18}")) throw new IOException("the answer has no sensible length");
        return new Exactly(in, Long.parseLong(length));
    }

    /// A line without its end.
    ///
    /// @param left bytes that may still be read, counted down
    private static String line(InputStream in, int[] left) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int value = in.read(); value != '\n'; value = in.read()) {
            if (value < 0) throw new EOFException("the answer ends in the middle");
            if (--left[0] < 0) throw new IOException("the answer has endless headers");
            line.append((char) value);
        }
        if (!line.isEmpty() && line.charAt(line.length() - 1) == '\r') line.setLength(line.length() - 1);
        return line.toString();
    }

    /// So many bytes, and not one less.
    private static final class Exactly extends InputStream {
        private final InputStream in;
        private long left;

        Exactly(InputStream in, long length) {
            this.in = in;
            this.left = length;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            if (left == 0) return -1;
            int count = in.read(bytes, offset, (int) Math.min(length, left));
            if (count < 0) throw new EOFException("it ended %,d bytes too early".formatted(left));
            left -= count;
            return count;
        }
    }

    /// A body in pieces, each with its length before it (RFC 9112, section 7.1).
    private static final class Chunks extends InputStream {
        private final InputStream in;
        private InputStream chunk = nullInputStream();
        private boolean first = true;
        private boolean ended;

        Chunks(InputStream in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int count = chunk.read(bytes, offset, length);
            if (count < 0 && !ended) {
                next();
                count = ended ? -1 : chunk.read(bytes, offset, length);
            }
            return count;
        }

        private void next() throws IOException {
            int[] left = {MOST_HEADER_BYTES};
            if (!first && !line(in, left).isEmpty()) throw new IOException("the pieces of the answer do not fit");
            first = false;
            String size = line(in, left).split(";", 2)[0].strip();
            if (!size.matches("[0-9a-fA-F]{1,15}")) throw new IOException("the pieces of the answer do not fit");
            long length = Long.parseLong(size, 16);
            ended = length == 0;
            chunk = new Exactly(in, length);
        }
    }
}
