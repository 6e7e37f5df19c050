/// The commands: what a person types, and what the process answers with.
///
/// Commands only read their arguments and call the packages below; no decision about training is taken here.
/// Invariants: the process ends with a number of [nocturne.ExitCode]; `System.exit` is called nowhere else; a stack
/// trace is printed only where `--debug` asked for one.
@NullMarked
package nocturne;

import org.jspecify.annotations.NullMarked;
