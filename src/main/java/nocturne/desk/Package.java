package nocturne.desk;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// A bundle on this machine, made ready to travel.
final class Package {
    /// A fixed date, the first one that a zip knows: the same folder always gives the same bytes.
    private static final long FIRST_OF_1980 = 315_532_800_000L;

    private Package() {}

    /// Refuses what no service would take, as far as that can be told without unpacking.
    ///
    /// @throws UserMistake `BUNDLE_INVALID`
    static void check(Path bundle) {
        if (Files.isDirectory(bundle)) {
            contents(bundle);
            return;
        }
        if (!Files.isRegularFile(bundle)) {
            throw new UserMistake(Bundle.INVALID, Printable.of(bundle.toString()), Files.exists(bundle)
                    ? "is neither a folder nor a file" : "there is no such file or folder");
        }
        try (ZipFile zip = new ZipFile(bundle.toFile())) {
            if (zip.size() == 0) throw new UserMistake(Bundle.INVALID, bundle.toString(), "is an empty zip");
        } catch (ZipException broken) {
            throw new UserMistake(Bundle.INVALID, bundle.toString(),
                    "is no whole zip (" + broken.getMessage() + "). Was it copied to its end?");
        } catch (IOException e) {
            throw new UserMistake(Bundle.INVALID, bundle.toString(), "cannot be read: " + e.getMessage());
        }
    }

    /// Writes the bundle as a zip: one that is a zip as it is, a folder with what belongs to a bundle.
    static void write(Path bundle, OutputStream out) throws IOException {
        if (Files.isDirectory(bundle)) zip(contents(bundle), out);
        else Files.copy(bundle, out);
    }

    private static Bundle contents(Path folder) {
        // A folder is only listed: nothing is unpacked anywhere.
        return Bundle.open(folder, folder, BundleLimits.STANDARD);
    }

    private static void zip(Bundle bundle, OutputStream out) throws IOException {
        ZipOutputStream zip = new ZipOutputStream(new BufferedOutputStream(out, 1 << 16));
        // Pictures are packed already.
        zip.setLevel(Deflater.BEST_SPEED);
        for (String name : bundle.files()) {
            ZipEntry entry = new ZipEntry(name);
            entry.setTime(FIRST_OF_1980);
            zip.putNextEntry(entry);
            Files.copy(bundle.root().resolve(name), zip);
            zip.closeEntry();
        }
        zip.finish();
        zip.flush();
    }

    /// The whole zip in memory.
    ///
    /// @param most bytes it may have
    /// @throws UserMistake `MESSAGE_TOO_LARGE`
    static byte[] bytes(Path bundle, int most) {
        LimitedBytes bytes = new LimitedBytes(most);
        try {
            write(bundle, bytes);
            return bytes.toByteArray();
        } catch (LimitedBytes.TooMany tooMany) {
            throw new UserMistake("MESSAGE_TOO_LARGE", bundle.toString(), ("is larger than a message may be (%s,"
                    + " nocturne.kafka.largest). Put it where every host can reach it and submit its address:"
                    + " nocturne submit https://... --kafka").formatted(Quantity.bytes(most)));
        } catch (IOException e) {
            throw new SickMachine("READ_FAILED", "reading %s failed: %s".formatted(bundle, e.getMessage()), e);
        }
    }
}
