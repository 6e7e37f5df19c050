package nocturne.dataset;

import java.util.Optional;
import nocturne.image.Look;

/// A picture of a dataset folder as it was found, before anything is decided about it.
///
/// @param label      how the user knows it: dataset folder, sub-folders, name
/// @param picture    the file, found sound
/// @param hasCaption whether there is a caption file
/// @param caption    what it says, as one line; empty where there is none or nothing in it
/// @param look       what it looks like; empty where patience was over
public record FoundPicture(String label, TrainingPicture picture, boolean hasCaption, String caption,
        Optional<Look> look) {}
