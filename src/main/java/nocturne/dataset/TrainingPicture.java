package nocturne.dataset;

import java.nio.file.Path;
import nocturne.image.Background;

/// A picture file that was found sound.
///
/// @param file       where it lies
/// @param sha256     of the file's bytes, 64 hexadecimal digits
/// @param width      pixels, upright
/// @param height     pixels, upright
/// @param background laid under it where it is transparent
public record TrainingPicture(Path file, String sha256, int width, int height, Background background) {}
