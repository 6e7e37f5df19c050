package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ResidencyTest {
    private static List<Integer> streamed(int resident, int blocks) {
        Residency residency = new Residency(resident, 2);
        return IntStream.range(0, blocks).filter(i -> residency.isStreamed(i, blocks)).boxed().toList();
    }

    @Test
    void asManyStayAsWereAskedFor() {
        for (int resident = 0; resident <= 60; resident++) assertThat(streamed(resident, 60)).hasSize(60 - resident);
        assertThat(streamed(70, 60)).isEmpty();
        assertThat(IntStream.range(0, 60).filter(i -> Residency.ALL.isStreamed(i, 60))).isEmpty();
    }

    @Test
    void thoseThatDoNotAreSpreadEvenly() {
        assertThat(streamed(0, 3)).containsExactly(0, 1, 2);
        assertThat(streamed(3, 6)).containsExactly(1, 3, 5);
        assertThat(streamed(4, 6)).containsExactly(2, 5);
        assertThat(streamed(1, 4)).containsExactly(1, 2, 3);
    }
}
