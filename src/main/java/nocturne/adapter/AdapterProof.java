package nocturne.adapter;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import nocturne.io.Safetensors;
import nocturne.io.TensorData;
import nocturne.io.TensorEntry;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// Reads a written adapter back and compares it with what was meant: a night's work must not end in a file that lies.
///
/// @param target    the name the file will get, for messages
/// @param meant     every tensor, as it was to be written
/// @param mayBeZero whether all B may be zero, that is, the adapter may change nothing
record AdapterProof(Path target, List<TensorData> meant, boolean mayBeZero) {

    /// @param written the file, which may still have a temporary name
    /// @throws SickMachine `ADAPTER_UNREADABLE`
    void check(Path written) {
        try (Safetensors tensors = Safetensors.open(written)) {
            Set<String> names = new HashSet<>();
            for (TensorData tensor : meant) names.add(tensor.name());
            if (!tensors.tensors().keySet().equals(names)) throw failed("its tensors are not those that were written");
            boolean changesSomething = false;
            for (TensorData tensor : meant) changesSomething |= holdsSomething(tensors, tensor);
            if (!changesSomething && !mayBeZero) throw failed("every lora_B is zero: it would change nothing");
        } catch (UserMistake broken) {
            throw failed(broken.getMessage());
        }
    }

    /// Compares one tensor; returns whether it is a B with a value other than zero.
    private boolean holdsSomething(Safetensors tensors, TensorData tensor) {
        TensorEntry entry = tensors.entry(tensor.name());
        if (entry.dtype() != tensor.dtype() || !entry.shape().equals(tensor.shape())) {
            throw failed("%s came back as %s %s".formatted(tensor.name(), entry.dtype(), entry.shape()));
        }
        float[] values = tensors.floats(tensor.name());
        boolean nonzero = false;
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) throw failed("%s holds %s".formatted(tensor.name(), values[i]));
            if (values[i] != tensor.storedValue(i)) {
                throw failed("%s came back with %s instead of %s at %d".formatted(
                        tensor.name(), values[i], tensor.storedValue(i), i));
            }
            nonzero |= values[i] != 0;
        }
        return nonzero && tensor.name().endsWith(".lora_B.weight");
    }

    private SickMachine failed(String what) {
        String doing = "writing %s: read back from the disk, %s. The file was not kept; check the disk".formatted(
                target, what);
        return new SickMachine("ADAPTER_UNREADABLE", doing, new IOException(what));
    }
}
