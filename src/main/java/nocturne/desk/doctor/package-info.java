/// Looks at the machine and says whether a job could run on it, and what to do if not.
///
/// Invariants: finds out by asking the operating system, files and other programs, never by loading a native library;
/// leaves nothing behind; one look that fails is a finding of its own and stops no other.
@NullMarked
package nocturne.desk.doctor;

import org.jspecify.annotations.NullMarked;
