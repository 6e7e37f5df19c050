package nocturne.problem;

import java.util.List;

/// What was given to us cannot be used: the next step is to tell the person, all problems at once.
///
/// Never printed with a stack trace, unless `--debug` asks for one.
public final class UserMistake extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String summary;
    private final transient List<Problem> problems;

    /// @param summary  the headline, such as `recipe.yaml has 2 problems; no training time was spent.`
    /// @param problems every problem found, in the order the user would meet them; at least one
    public UserMistake(String summary, List<Problem> problems) {
        super(summary);
        this.summary = summary;
        if (problems.isEmpty()) throw new IllegalArgumentException("a mistake without a problem");
        this.problems = List.copyOf(problems);
    }

    /// A mistake that is its own headline.
    public UserMistake(String code, String where, String what) {
        this(where.isEmpty() ? what : where + ": " + what, List.of(new Problem(code, where, what)));
    }

    /// The headline.
    @Override
    public String getMessage() {
        return summary;
    }

    public List<Problem> problems() {
        return problems;
    }

    /// The headline and, where it does not already say everything, one indented line per problem.
    public String report() {
        if (problems.size() == 1 && problems.getFirst().toString().equals(summary)) return summary;
        StringBuilder text = new StringBuilder(summary);
        for (Problem problem : problems) text.append("\n  ").append(problem);
        return text.toString();
    }
}
