package nocturne.qwen;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import nocturne.io.TensorSource;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.quant.Float8Tensors;

/// What the names and shapes in a transformer's files tell about it: the wrapping, the sizes, and what kind of
/// numbers they hold.
///
/// Single files for ComfyUI have no `config.json`; it infers the sizes from the tensors as well.
final class TransformerShapes {
    private static final String CODE = "MODEL_INVALID";
    private static final String[] PREFIXES = {"model.diffusion_model.", "diffusion_model.", "transformer."};
    /// An entry without numbers that marks Qwen-Image-Edit-2511 in ComfyUI's files.
    private static final String ZERO_COND_T = "__index_timestep_zero__";
    private static final Pattern BLOCK = Pattern.compile("transformer_blocks\\.(\\d{1,4})\\.(.+)");
    private static final int RELEASED_HEAD_DIM = 128;
    private static final List<Integer> RELEASED_AXES = List.of(16, 56, 56);

    private TransformerShapes() {}

    /// The transformer's tensors under their own names. Other parts that a file holds beside it are left out.
    ///
    /// @throws UserMistake `MODEL_INVALID` if they are weights of fewer bits in a form that is not read
    static Float8Tensors unwrapped(TensorSource source) {
        return Float8Tensors.of(source.withoutPrefix(PREFIXES));
    }

    /// The sizes that the tensors have, for files without `config.json`.
    ///
    /// @param source with or without a wrapping prefix
    /// @throws UserMistake `MODEL_INVALID` if this is no Qwen-Image transformer, or one whose rotary axes are not those
    ///     of the released models, which the tensors do not tell
    static TransformerConfig config(TensorSource source) {
        TensorSource tensors = unwrapped(source);
        List<Problem> problems = new ArrayList<>();
        List<Long> picture = matrix(tensors, "img_in.weight", problems);
        List<Long> text = matrix(tensors, "txt_in.weight", problems);
        String norm = TransformerBlock.prefix(0) + TransformerBlock.Names.PICTURE.normQ();
        int headDim = tensors.has(norm) ? Math.toIntExact(tensors.entry(norm).elements()) : 0;
        if (headDim == 0) problems.add(new Problem(CODE, source.where(), "has no tensor " + norm));
        if (!problems.isEmpty()) {
            throw new UserMistake(source.where() + " has no config.json beside it and is not recognised as a"
                    + " Qwen-Image transformer.", problems);
        }
        int width = Math.toIntExact(picture.getFirst());
        if (headDim != RELEASED_HEAD_DIM || width % headDim != 0) {
            throw new UserMistake(CODE, source.where(), ("has no config.json beside it, and with a width of %d and"
                    + " heads of %d it is none of the released models, whose sizes are known (heads of %d); put the"
                    + " model's transformer/config.json there").formatted(width, headDim, RELEASED_HEAD_DIM));
        }
        return new TransformerConfig(layers(tensors), width / headDim, headDim, Math.toIntExact(text.getLast()),
                Math.toIntExact(picture.getLast()), RELEASED_AXES,
                tensors.has(ZERO_COND_T) || source.has(ZERO_COND_T));
    }

    private static List<Long> matrix(TensorSource tensors, String name, List<Problem> problems) {
        List<Long> shape = tensors.has(name) ? tensors.entry(name).shape() : List.of();
        boolean usable = shape.size() == 2 && shape.stream().allMatch(size -> size > 0 && size <= 1 << 20);
        if (!usable) {
            problems.add(new Problem(CODE, tensors.where(), shape.isEmpty()
                    ? "has no tensor " + name
                    : "tensor %s is %s; a matrix is needed".formatted(name, shape)));
        }
        return shape;
    }

    /// One more than the greatest number of a block. Those missing below it are told when they are loaded.
    private static int layers(TensorSource tensors) {
        int layers = 0;
        for (String name : tensors.tensors().keySet()) {
            Matcher block = BLOCK.matcher(name);
            if (block.matches()) layers = Math.max(layers, Integer.parseInt(block.group(1)) + 1);
        }
        return layers;
    }

    /// Whether a tensor that the model does not have may be there all the same.
    static boolean isHarmless(String name) {
        return name.equals(ZERO_COND_T);
    }
}
