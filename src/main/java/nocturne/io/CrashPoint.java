package nocturne.io;

/// Named places where a test may ask this process to drop dead, as a power cut would: `-Dnocturne.crash=<name>`, or
/// `<name>@<n>` for the n-th time it comes by. Without that, nothing happens.
public final class CrashPoint {
    private static final String WANTED = System.getProperty("nocturne.crash", "");
    private static int passed;

    private CrashPoint() {}

    /// @param name of the place, unique in the program
    public static void at(String name) {
        if (!WANTED.isEmpty()) crashIfWanted(name);
    }

    private static synchronized void crashIfWanted(String name) {
        String[] wanted = WANTED.split("@", 2);
        if (!wanted[0].equals(name)) return;
        passed++;
        if (wanted.length == 1 || passed == Integer.parseInt(wanted[1])) Runtime.getRuntime().halt(137);
    }
}
