package nocturne.tensor;

/// How a device's own memory stands.
///
/// @param freeBytes that anybody may still take
/// @param peakBytes the most that this run has held
public record DeviceMemory(long freeBytes, long peakBytes) {}
