package nocturne.promise;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The promise table as it stands in `docs/promises.md`: the rows of its Markdown tables that begin with a number.
///
/// @param rows in the order of the file
record PromiseTable(List<Row> rows) {
    /// @param number    that tests name
    /// @param promise   what we promise, a sentence
    /// @param mechanism how it is kept
    /// @param test      what its test does, and what must come out
    record Row(int number, String promise, String mechanism, String test) {}

    PromiseTable {
        rows = List.copyOf(rows);
    }

    static PromiseTable read(Path file) {
        List<Row> rows = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(file)) {
                if (!line.matches("\\|\\s*\\d+\\s*\\|.*")) continue;
                String[] cells = line.strip().split("\\s*(?<!\\\\)\\|\\s*", -1);
                if (cells.length != 6) throw new IllegalStateException("not four cells: " + line);
                rows.add(new Row(Integer.parseInt(cells[1]), cells[2], cells[3], cells[4]));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new PromiseTable(rows);
    }

    Map<Integer, Row> byNumber() {
        Map<Integer, Row> byNumber = new TreeMap<>();
        for (Row row : rows) byNumber.put(row.number(), row);
        return byNumber;
    }
}
