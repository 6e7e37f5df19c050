package nocturne.adapter;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SequencedMap;
import nocturne.adapter.AdapterModule.LowRank;
import nocturne.io.ContentHash;
import nocturne.io.DType;
import nocturne.io.Safetensors;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// Adapter files: read in every dialect that is around, written in the one that ComfyUI and diffusers read alike.
public final class AdapterFile {
    /// Code of every mistake in an adapter file that was given to us.
    public static final String INVALID = "ADAPTER_INVALID";

    private AdapterFile() {}

    /// What was written.
    ///
    /// @param sha256         of the whole file
    /// @param subnormalShare share of the values that fp16 keeps with fewer than 11 bits; 0 for the other types. Above
    ///     some percent the file is better saved as bf16 or float32.
    public record Written(Path path, String sha256, double subnormalShare) {}

    /// Reads an adapter: LoRA as ai-toolkit, diffusers, PEFT, kohya and musubi write it, or LoKr as ai-toolkit does.
    ///
    /// The scale of a LoRA module is `alpha / rank`, where alpha is the file's own `.alpha`, or that of diffusers'
    /// metadata, or the rank where there is neither.
    ///
    /// @param legal the layers of the model, by name; the adapter may cover any of them
    /// @throws UserMistake `ADAPTER_INVALID` with every key that is unknown, without partner or of the wrong shape;
    ///     `SAFETENSORS_INVALID` and its like if the file is broken
    public static AdapterWeights read(Path file, Map<String, LinearShape> legal) {
        try (Safetensors tensors = Safetensors.open(file)) {
            return new AdapterReader(tensors, legal).read();
        }
    }

    /// The ranks of an adapter's layers as the file's header tells them; of the tensors nothing is read but single
    /// numbers.
    ///
    /// @param legal as in [#read]
    /// @return by layer, in the model's order; empty for one that is a LoKr
    /// @throws UserMistake as [#read] does, but for values that are not finite and scales that are none
    public static SequencedMap<String, OptionalInt> ranks(Path file, Map<String, LinearShape> legal) {
        try (Safetensors tensors = Safetensors.open(file)) {
            return new AdapterReader(tensors, legal).ranks();
        }
    }

    /// Writes LoRA modules as `diffusion_model.<module>.lora_A.weight` and `.lora_B.weight` without alpha, their scale
    /// folded in, then reads the file back from the disk and compares, and only then gives it its name.
    ///
    /// @param dtype     F16, BF16 or F32
    /// @param mayBeZero whether an adapter that changes nothing is right, as it is before the first step
    /// @throws UserMistake `VALUES_OUT_OF_RANGE` if a value is not finite, or is not in `dtype`
    /// @throws SickMachine `ADAPTER_UNREADABLE` if what is read back is not what was meant; `DISK_FULL`
    public static Written write(
            Path target, List<LowRank> modules, DType dtype, AdapterMetadata metadata, boolean mayBeZero) {
        if (modules.isEmpty()) throw new IllegalArgumentException("an adapter without modules");
        List<TensorData> tensors = new ArrayList<>();
        double subnormal = 0;
        for (LowRank module : modules) {
            ScaleFolding folding = ScaleFolding.of(module, dtype);
            String key = "diffusion_model." + module.module();
            List<Long> downShape = List.of((long) module.rank(), (long) module.in());
            List<Long> upShape = List.of((long) module.out(), (long) module.rank());
            tensors.add(TensorData.floats(key + ".lora_A.weight", dtype, downShape, module.down())
                    .times(folding.downFactor()).mustBeFinite());
            tensors.add(TensorData.floats(key + ".lora_B.weight", dtype, upShape, module.up())
                    .times(folding.upFactor()).mustBeFinite());
            subnormal += folding.subnormalShare() * module.rank() * (module.in() + module.out());
        }
        long values = modules.stream().mapToLong(m -> (long) m.rank() * (m.in() + m.out())).sum();
        Map<String, String> header = metadata.toHeader(SafetensorsWriter.dataHash(tensors), dtype.name());
        AdapterProof proof = new AdapterProof(target, tensors, mayBeZero);
        SafetensorsWriter.write(target, header, tensors, proof::check);
        return new Written(target, ContentHash.ofFile(target), subnormal / values);
    }
}
