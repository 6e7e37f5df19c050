package nocturne.tensor;

/// How a device's own memory stands.
///
/// @param totalBytes of the device
/// @param freeBytes  that anybody may still take
/// @param usedBytes  that this run holds
/// @param peakBytes  the most that this run has held
public record DeviceMemory(long totalBytes, long freeBytes, long usedBytes, long peakBytes) {}
