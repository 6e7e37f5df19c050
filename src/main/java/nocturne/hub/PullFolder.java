package nocturne.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import nocturne.io.AtomicFiles;
import nocturne.io.FreeSpace;
import nocturne.problem.DiskFull;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// Where a model arrives: beside its folder, so that the folder appears when all is there; or, where the folder is
/// there and not whole, in it.
///
/// @param target the model's folder
/// @param place  where files go for now
record PullFolder(Path target, Path place) {
    private static final String DIFFERENT = "MODEL_DIFFERENT";

    /// @param whole whether it is to be a whole model; some files of one go where they were asked for
    static PullFolder of(Path target, boolean whole) {
        if (Files.exists(target) && !Files.isDirectory(target)) {
            throw new UserMistake("NOT_WRITABLE", target.toString(), "is a file; name another folder with --to.");
        }
        return new PullFolder(target, !whole || Files.exists(target) ? target : arriving(target));
    }

    static Path arriving(Path target) {
        return target.resolveSibling(Pull.ARRIVING + target.getFileName());
    }

    static Path lock(Path target) {
        return target.resolveSibling("." + target.getFileName() + ".lock");
    }

    /// The files that have yet to come. What is there is hashed.
    ///
    /// @throws UserMistake `MODEL_DIFFERENT` if the model's folder holds files with other content
    List<HubFile> missing(ModelId id, List<HubFile> wanted) {
        boolean foreign = place.equals(target);
        List<HubFile> missing = new ArrayList<>();
        List<Problem> different = new ArrayList<>();
        for (HubFile file : wanted) {
            Path here = place.resolve(file.path());
            if (!Files.isRegularFile(here)) missing.add(file);
            else if (!hash(here, file).equals(file.hash())) {
                missing.add(file);
                different.add(new Problem(DIFFERENT, here.toString(), "is not what the hub has"));
            }
        }
        if (!foreign || different.isEmpty()) return missing;
        throw new UserMistake("%s is not %s as it was asked for, and nothing in it was touched. Move it away, or name"
                .formatted(target, id) + " another folder with --to.", different);
    }

    private static String hash(Path here, HubFile file) {
        try {
            if (Files.size(here) != file.bytes()) return "another length";
            MessageDigest digest = file.digest();
            try (InputStream in = new DigestInputStream(Files.newInputStream(here), digest)) {
                in.transferTo(OutputStream.nullOutputStream());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw new SickMachine("FILE_UNREADABLE", "reading " + here + " failed: " + e.getMessage(), e);
        }
    }

    /// How many bytes of these files have arrived, in parts.
    long begun(List<HubFile> missing) {
        long bytes = 0;
        for (HubFile file : missing) {
            Path part = place.resolve(file.partName());
            try {
                if (Files.isRegularFile(part)) bytes += Math.min(Files.size(part), file.bytes());
            } catch (IOException gone) {
                // Then it comes anew.
            }
        }
        return bytes;
    }

    /// @throws SickMachine `DISK_FULL` if so many bytes do not fit
    void requireRoom(long bytes, long reserve) {
        Path there = place;
        while (!Files.isDirectory(there) && there.getParent() != null) there = there.getParent();
        OptionalLong free = FreeSpace.of(there);
        // A disk that does not say is tried.
        if (free.isEmpty() || free.getAsLong() - reserve >= bytes) return;
        throw new SickMachine(DiskFull.CODE, "%s has %,d bytes free; %,d are needed and %,d stay in reserve. Make room,"
                .formatted(there, free.getAsLong(), bytes, reserve) + " or name a folder on another disk with --to.",
                new IOException("too little room"));
    }

    /// All is there: the folder gets its name.
    void complete(List<HubFile> wanted) {
        if (place.equals(target)) return;
        try {
            removeOthers(wanted);
            Files.move(place, target, StandardCopyOption.ATOMIC_MOVE);
            AtomicFiles.forceFolder(target.toAbsolutePath().resolveSibling(""));
        } catch (IOException e) {
            throw AtomicFiles.explained(e, target);
        }
    }

    /// What an earlier try has left of another revision.
    private void removeOthers(List<HubFile> wanted) throws IOException {
        Set<Path> ours = wanted.stream().map(file -> place.resolve(file.path())).collect(Collectors.toSet());
        ours.add(place.resolve(PullRecord.NAME));
        try (Stream<Path> all = Files.walk(place)) {
            for (Path file : all.filter(path -> !Files.isDirectory(path) && !ours.contains(path)).toList()) {
                Files.delete(file);
            }
        }
    }
}
