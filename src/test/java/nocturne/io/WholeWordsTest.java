package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class WholeWordsTest {
    @Test
    void onlyWordsOfTheirOwnAreReplaced() {
        assertThat(WholeWords.replace("man, woman and man_2: man", "man", "X")).isEqualTo("X, woman and man_2: X");
        assertThat(WholeWords.replace("the old man sits", "old man", "")).isEqualTo("the  sits");
        assertThat(WholeWords.replace("a woman", "man", "X")).isEqualTo("a woman");
        assertThatThrownBy(() -> WholeWords.replace("a woman", "", "X")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aWordIsFoundBehindAPlaceWhereItIsAPart() {
        assertThat(WholeWords.holds("woman and man", "man")).isTrue();
        assertThat(WholeWords.holds("woman and human", "man")).isFalse();
        assertThat(WholeWords.holds("猫的照片", "猫")).as("words without blanks between them").isTrue();
    }
}
