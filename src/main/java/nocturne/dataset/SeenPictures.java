package nocturne.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import nocturne.image.Background;
import nocturne.image.Glance;
import nocturne.image.Look;
import nocturne.image.PictureHeader;
import nocturne.image.PictureReader;
import nocturne.io.ContentHash;
import nocturne.problem.UserMistake;

/// What pictures were found to be, so that whoever scans a dataset again, at other resolutions, opens none of them
/// again. A file whose size or time has changed is another one. What is wrong with a picture is not kept: nobody goes
/// on with it.
///
/// Safe for use by several threads. Keeps a kilobyte or two for each picture.
public final class SeenPictures {
    /// Megapixels decoded at the same time by all threads together, at about 7 bytes a pixel where a picture has to be
    /// decoded whole.
    private static final int MEGAPIXELS_AT_ONCE = 40;
    /// What looking in the quick way takes of that.
    private static final int QUICK = 8;

    private final PictureReader reader;
    private final Semaphore megapixels = new Semaphore(MEGAPIXELS_AT_ONCE);
    private final Map<Place, Kept> kept = new ConcurrentHashMap<>();

    /// What a picture was found to be.
    ///
    /// @param look empty where patience was over
    record Seen(TrainingPicture picture, Optional<Look> look) {}

    private record Place(Path file, Background background) {}

    private record Stamp(long bytes, FileTime modified) {}

    private record Kept(Stamp stamp, Seen seen) {}

    public SeenPictures(PictureReader reader) {
        this.reader = reader;
    }

    /// @param label    how the user knows the file
    /// @param patience where it is over, the picture is taken by what the file says of itself
    /// @throws UserMistake `PICTURE_UNREADABLE`
    Seen see(Path file, String label, Background background, Patience patience) {
        Place place = new Place(file, background);
        // Before the bytes: what is written in between then has another time than what is kept.
        Optional<Stamp> stamp = stamp(file);
        Optional<Seen> before = Optional.ofNullable(kept.get(place))
                .filter(it -> stamp.isPresent() && it.stamp.equals(stamp.get())).map(Kept::seen)
                .filter(it -> it.look.isPresent() || patience.isOver());
        if (before.isPresent()) return before.get();
        Seen seen = open(file, label, background, patience);
        stamp.ifPresent(now -> kept.put(place, new Kept(now, seen)));
        return seen;
    }

    private static Optional<Stamp> stamp(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return Optional.of(new Stamp(attributes.size(), attributes.lastModifiedTime()));
        } catch (IOException whoeverOpensItWillTell) {
            return Optional.empty();
        }
    }

    private Seen open(Path file, String label, Background background, Patience patience) {
        byte[] encoded = reader.bytes(file);
        PictureHeader header = reader.inspect(encoded, label);
        Optional<Look> look = patience.isOver() ? Optional.empty()
                : Optional.of(look(encoded, header, label, background));
        return new Seen(new TrainingPicture(
                file, ContentHash.ofBytes(encoded), header.width(), header.height(), background), look);
    }

    private Look look(byte[] encoded, PictureHeader header, String label, Background background) {
        long pixels = (long) header.storedWidth() * header.storedHeight();
        Glance glance = within(pixels / QUICK, () -> reader.quickGlance(encoded, header))
                .orElseGet(() -> within(pixels, () -> reader.glance(encoded, label, background)));
        return Look.at(glance.small());
    }

    private <T> T within(long pixels, Supplier<T> work) {
        int permits = (int) Math.min(MEGAPIXELS_AT_ONCE, 1 + pixels / 1_000_000);
        megapixels.acquireUninterruptibly(permits);
        try {
            return work.get();
        } finally {
            megapixels.release(permits);
        }
    }
}
