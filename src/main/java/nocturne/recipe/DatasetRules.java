package nocturne.recipe;

import java.util.List;

/// What is said about datasets before any picture is opened.
final class DatasetRules {
    private static final String UNLOAD = "train.unload_text_encoder";

    static final List<Rule<Evidence>> ON_ALL = List.of(
            Rule.<Evidence>warning("S1-68", "datasets").when(it -> it.isReleased() && hasFewer(it, 10))
                    .says(it -> "%d pictures are too few: they will be memorised.".formatted(
                            it.pictures().orElseThrow()))
                    .remedy("20 to 50 good ones suit a character."),
            Rule.<Evidence>warning("S1-68", "datasets")
                    .when(it -> it.isReleasedCharacter() && hasFewer(it, 20) && !hasFewer(it, 10))
                    .says(it -> "%d pictures are few for a character.".formatted(it.pictures().orElseThrow()))
                    .remedy("20 to 50 good ones are usual."),
            Rule.<Evidence>notice("S2-53", "model.name_or_path")
                    .when(it -> it.recipe().model().architecture().edits() && !it.hasControls()
                            && it.useCase() != UseCase.EDIT && it.isWritten("model.name_or_path"))
                    .says("an Edit model without control pictures is trained from words alone, as it draws from words"
                            + " alone."),
            Rule.<Evidence>warning("S2-53", "use_case")
                    .when(it -> it.useCase() == UseCase.EDIT && !it.hasControls())
                    .says("edit learns from pairs, and no dataset has control pictures.")
                    .remedy("control_path names the folder with the pictures before the edit."),
            Rule.<Evidence>error("S1-35", UNLOAD)
                    .when(it -> it.recipe().train().ignoresCaptions() && it.hasControls())
                    .says("an Edit model reads control pictures together with the caption, which this leaves out.")
                    .remedy("Leave it off: captions are encoded before training, and the encoder is gone by then."),
            Rule.<Evidence>warning("S1-35", UNLOAD)
                    .when(it -> it.recipe().train().ignoresCaptions() && !it.hasControls())
                    .says("ALL CAPTIONS ARE IGNORED: every picture is trained with the trigger word alone.")
                    .remedy("Without it captions are encoded before training, and the encoder is gone by then."),
            Rule.<Evidence>notice("S1-43", "datasets[].is_reg")
                    .when(it -> it.recipe().datasets().stream().anyMatch(DatasetRecipe::regularisation))
                    .says("every second step shows what is not to be learned, so a run takes twice as long to show the"
                            + " rest as often."));

    static final List<Rule<Evidence.OfDataset>> ON_EACH = List.of(
            Rule.<Evidence.OfDataset>error("B5", "control_path")
                    .when(it -> !it.dataset().controlFolders().isEmpty()
                            && !it.whole().recipe().model().architecture().edits() && it.whole().isReleased())
                    .says(it -> "%s takes no control pictures.".formatted(
                            it.whole().recipe().model().architecture().spelling()))
                    .remedy("Train an Edit model, such as Qwen/Qwen-Image-Edit-2509, or leave them out."),
            Rule.<Evidence.OfDataset>notice("S2-53", "control_path")
                    .when(it -> it.dataset().controlFolders().isEmpty() && it.whole().hasControls()
                            && !it.dataset().regularisation())
                    .says("has no control pictures, unlike other datasets: it teaches from words alone."),
            Rule.<Evidence.OfDataset>notice("S2-58", "tag")
                    .when(it -> it.dataset().tag() != null && !it.whole().recipe().sample().prompts().isEmpty()
                            && it.whole().recipe().sample().prompts().stream()
                                    .noneMatch(prompt -> prompt.prompt().contains(it.dataset().tag())))
                    .says("no prompt holds it, so no sample will show what it stands for."),
            Rule.<Evidence.OfDataset>warning("S1-46", "flip_x")
                    .when(it -> it.dataset().flipX() && it.whole().useCase() != UseCase.STYLE)
                    .says("mirrors faces, which are not symmetric, writing, and captions that say left or right.")
                    .remedy("Leave it off."),
            Rule.<Evidence.OfDataset>notice("S1-46", "flip_x")
                    .when(it -> it.dataset().flipX() && it.whole().useCase() == UseCase.STYLE)
                    .says("mirrors writing, and captions that say left or right."),
            Rule.<Evidence.OfDataset>warning("S1-47", "flip_y").when(it -> it.dataset().flipY())
                    .says("upside down is rarely what a picture means.").remedy("Leave it off."),
            Rule.<Evidence.OfDataset>warning("S1-48", "caption_dropout_rate")
                    .when(it -> it.whole().isReleased() && it.dataset().captionDropout() > mostDropout(it))
                    .says("so many samples without words leave the trigger word little to hold on to.")
                    .remedy("0.05 is the recipe's."),
            Rule.<Evidence.OfDataset>notice("S1-44", "resolution")
                    .when(it -> it.dataset().resolutions().size() > 1)
                    .says(it -> "trains every picture at each of %d sizes: an epoch is %1$d times as long.".formatted(
                            it.dataset().resolutions().size())),
            Rule.<Evidence.OfDataset>notice("S1-45", "resolution")
                    .when(it -> it.whole().isReleased()
                            && it.dataset().resolutions().stream().allMatch(side -> side < 768))
                    .says("below 768 fine detail is not learned; the adapter still works on larger pictures."));

    private DatasetRules() {}

    /// None at all is a problem of its own, told where folders are opened.
    private static boolean hasFewer(Evidence it, int count) {
        return it.pictures().orElse(0) > 0 && it.pictures().getAsInt() < count;
    }

    private static double mostDropout(Evidence.OfDataset it) {
        return it.whole().useCase() == UseCase.STYLE ? 0.5 : 0.2;
    }
}
