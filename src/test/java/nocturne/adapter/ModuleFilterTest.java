package nocturne.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ModuleFilterTest {
    private static final Set<String> MODULES = LoraTargets.of(12, 48).keySet();

    private static List<String> picked(List<String> only, List<String> ignore) {
        ModuleFilter filter = new ModuleFilter(only, ignore);
        return MODULES.stream().filter(filter::accepts).toList();
    }

    @Test
    void withoutWordsEveryModulePasses() {
        assertThat(MODULES).hasSize(12 * 14).allMatch(ModuleFilter.ALL::accepts);
    }

    @Test
    void wordsPickByAnyPartOfTheName() {
        assertThat(picked(List.of("attn.to_q", "attn.to_k"), List.of())).hasSize(24);
        assertThat(picked(List.of("transformer_blocks.1."), List.of())).hasSize(14);
        assertThat(picked(List.of("transformer.transformer_blocks.1."), List.of())).hasSize(14);
        assertThat(picked(List.of(), List.of("txt_", "img_mod"))).hasSize(12 * 10);
    }

    @Test
    void ignoredWordsWin() {
        assertThat(picked(List.of("img_mlp"), List.of("net.2"))).hasSize(12)
                .allMatch(name -> name.endsWith("net.0.proj"));
    }

    @Test
    void wordsThatFitNothingAreNamed() {
        ModuleFilter filter = new ModuleFilter(List.of("attn", "atnn"), List.of("blocks.99."));
        assertThat(filter.wordsWithoutMatch(MODULES)).containsExactly("atnn", "blocks.99.");
    }
}
