package nocturne.cpu;

import java.util.ArrayList;
import java.util.List;

/// Long sums term by term: what a gradient buffer holds after contributions were added in any order.
final class Sums {
    private final List<List<Bounded>> terms = new ArrayList<>();

    /// @param start what the buffer held before
    Sums(float[] start) {
        for (float number : start) terms.add(new ArrayList<>(List.of(Bounded.of(number))));
    }

    void add(int index, Bounded term) {
        terms.get(index).add(term);
    }

    Bounded[] totals() {
        return terms.stream().map(list -> Bounded.sum(list.toArray(Bounded[]::new))).toArray(Bounded[]::new);
    }
}
