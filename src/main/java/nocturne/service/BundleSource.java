package nocturne.service;

import java.net.URI;
import java.nio.file.Path;

/// Brings a bundle that was named by an address.
public interface BundleSource {

    /// @param uri    `file:`, `https:` or `s3:`
    /// @param sha256 of the zip, in hex; empty only for a local folder
    /// @param into   an existing private folder for what has to be downloaded
    /// @return the zip or folder: below `into`, or where a `file:` address says
    /// @throws nocturne.problem.UserMistake if it may not or cannot be used: asking again changes nothing
    /// @throws nocturne.problem.SickMachine if it cannot be had now
    Path fetch(URI uri, String sha256, Path into);
}
