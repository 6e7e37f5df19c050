package nocturne.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import nocturne.adapter.Lora;
import nocturne.image.Background;
import nocturne.image.Picture;
import nocturne.image.PictureReader;
import nocturne.io.AtomicFiles;
import nocturne.qwen.QwenImageTransformer;
import nocturne.recipe.SampleFormat;
import nocturne.report.ContactSheet;
import nocturne.sample.SampleRequest;
import nocturne.sample.Sampler;
import nocturne.tensor.Tensor;

/// Draws the recipe's sample pictures at a step, as `samples/<name>_<step>_<prompt>.png`, or `.jpg`.
///
/// The same prompt starts from the same noise at every step, so that the pictures differ by the training alone.
final class Gallery {
    /// The end of a sample's name: step and prompt.
    private static final Pattern DRAWN = Pattern.compile("_(\\d{9})_\\d+\\.(png|jpg)$");

    private final Path folder;
    private final String name;
    private final SampleFormat format;
    private final Studio studio;
    private final int size;

    /// @param format of the files
    /// @param studio where the recipe's sample prompts are the first
    /// @param size   how many of them there are
    Gallery(Path folder, String name, SampleFormat format, Studio studio, int size) {
        this.folder = folder;
        this.name = name;
        this.format = format;
        this.studio = studio;
        this.size = size;
    }

    List<String> prompts() {
        return IntStream.range(0, size).mapToObj(i -> studio.request(i).prompt()).toList();
    }

    Studio studio() {
        return studio;
    }

    /// Draws what is not there yet; a file that is there is whole, and the same picture would be drawn again.
    /// Between two pictures it may be asked to leave off.
    ///
    /// @param step    updates made; 0 is the untrained model
    /// @param values  the adapter's, under the layout of `lora`
    /// @param present told the prompt's number and the file, for each picture that is there now: a kill may have come
    ///     between drawing one and telling of it
    /// @param doing   told how many pictures are done
    /// @return whether all are there
    boolean draw(int step, QwenImageTransformer base, Lora lora, Tensor values, BiConsumer<Integer, Path> present,
            Examples.Progress doing, BooleanSupplier stop) {
        for (int i = 0; i < size; i++) {
            doing.done("samples", i, size);
            Path file = file(step, i);
            if (!Files.isRegularFile(file)) {
                if (stop.getAsBoolean()) return false;
                paint(i, step, base, lora, values, file);
            }
            present.accept(i, file);
        }
        doing.done("samples", size, size);
        return true;
    }

    private void paint(int prompt, int step, QwenImageTransformer base, Lora lora, Tensor values, Path file) {
        SampleRequest request = studio.request(prompt);
        // Before training it is the base model itself, whatever LoRA the training goes on from.
        QwenImageTransformer model =
                step == 0 ? base : base.with(lora.frozen(values, (float) request.strength()));
        studio.paint(prompt, request, model, step, step == 0 ? "base" : "%s_%09d".formatted(name, step), format, file,
                Sampler.Progress.NONE);
    }

    private Path file(int step, int prompt) {
        return folder.resolve("%s_%09d_%d.%s".formatted(name, step, prompt, format.spelling()));
    }

    /// Removes what was drawn after a step: the run has gone back to it, and they may come out differently.
    void forgetAfter(int step) {
        if (!Files.isDirectory(folder)) return;
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Matcher drawn = DRAWN.matcher(String.valueOf(file.getFileName()));
                if (drawn.find() && Integer.parseInt(drawn.group(1)) > step) Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw AtomicFiles.explained(e, folder);
        }
    }

    /// The pictures that lie in the folder, for the contact sheet.
    ///
    /// @param steps the steps at which pictures may have been drawn, ascending
    List<ContactSheet.Sample> all(Iterable<Integer> steps) {
        List<ContactSheet.Sample> samples = new ArrayList<>();
        for (int step : steps) {
            for (int i = 0; i < size; i++) {
                Path file = file(step, i);
                if (!Files.isRegularFile(file)) continue;
                Picture picture = PictureReader.standard().read(file, Background.BLACK);
                samples.add(new ContactSheet.Sample(i, studio.request(i).prompt(), step, picture));
            }
        }
        return samples;
    }
}
