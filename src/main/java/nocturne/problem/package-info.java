/// How things go wrong, in three kinds with three next steps: [nocturne.problem.UserMistake] (tell the person),
/// [nocturne.problem.SickMachine] (retry elsewhere), and any other exception (our bug: stop and report).
@NullMarked
package nocturne.problem;

import org.jspecify.annotations.NullMarked;
