package nocturne.service;

import static org.assertj.core.api.Assertions.assertThat;

import nocturne.recipe.BundleFacts;
import nocturne.recipe.RecipeReader;
import org.junit.jupiter.api.Test;

class FirstRecipeTest {
    /// One that is refused would end the reading half way, and nobody would notice.
    @Test
    void theRecipeThatIsReadFirstIsAValidOne() {
        var read = RecipeReader.in(BundleFacts.named("first")).read(FirstRecipe.TEXT, "first.yaml");
        assertThat(read.recipe().train().steps()).isEqualTo(2000);
        assertThat(read.notices()).as("rules were asked").isNotEmpty();
    }
}
