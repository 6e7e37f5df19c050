package nocturne.desk;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/// Collects bytes up to a number.
final class LimitedBytes extends OutputStream {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final int most;

    LimitedBytes(int most) {
        this.most = most;
    }

    /// There were more.
    static final class TooMany extends IOException {
        private static final long serialVersionUID = 1L;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] block, int offset, int length) throws IOException {
        if (bytes.size() + (long) length > most) throw new TooMany();
        bytes.write(block, offset, length);
    }

    byte[] toByteArray() {
        return bytes.toByteArray();
    }
}
