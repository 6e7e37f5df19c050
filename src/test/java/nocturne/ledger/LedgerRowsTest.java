package nocturne.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The ledger that people read says what the tests say.
class LedgerRowsTest {
    private static final Path PAGE = Path.of("docs/ledger.md");

    @Test
    void thePageIsWhatTheAnnotationsSay() throws Exception {
        String page = LedgerRows.read().page();
        if (Boolean.getBoolean("ledger.write")) Files.writeString(PAGE, page);
        assertThat(Files.readString(PAGE)).as("write it anew: mvn test -Dtest=LedgerRowsTest -Dledger.write=true")
                .isEqualTo(page);
    }

    @Test
    void noRowIsLeftOutAndNoTestNamesOneThatDoesNotExist() throws Exception {
        List<String> ids = new ArrayList<>();
        for (int i = 1; i <= 82; i++) ids.add("S1-%02d".formatted(i));
        for (int i = 1; i <= 78; i++) ids.add("S2-%02d".formatted(i));
        for (int i = 1; i <= 19; i++) ids.add("X-%02d".formatted(i));
        for (int i = 1; i <= 9; i++) ids.add("B" + i);
        LedgerRows ledger = LedgerRows.read();
        assertThat(ledger.rows()).extracting(LedgerRows.Row::id).containsExactlyElementsOf(ids);
        assertThat(ids).containsAll(ledger.tests().keySet());
    }

    @Test
    void everyRuleAndEveryDefaultHasATest() throws Exception {
        LedgerRows ledger = LedgerRows.read();
        assertThat(ledger.rows()).filteredOn(LedgerRows.Row::isJudgedOrDefault).extracting(LedgerRows.Row::id)
                .isSubsetOf(ledger.tests().keySet());
    }
}
