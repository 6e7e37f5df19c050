package nocturne.desk.doctor;

import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The Java that this runs on, which is the one trainers get as well.
final class JavaCheck implements Check {
    private static final int OLDEST = 25;

    @Override
    public List<Finding> look() {
        List<Finding> findings = new ArrayList<>();
        String version = "%s %s in %s".formatted(System.getProperty("java.vendor"), Runtime.version(),
                System.getProperty("java.home"));
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        if (Runtime.version().feature() < OLDEST) {
            findings.add(Finding.problem("Java", version, "Install a JDK " + OLDEST + " or newer."));
        } else if (!Files.isExecutable(java)) {
            findings.add(Finding.problem("Java", version + " has no bin/java, with which trainers are started",
                    "Install a whole JDK."));
        } else {
            findings.add(Finding.ok("Java", version));
        }
        if (ModuleFinder.ofSystem().find("jdk.incubator.vector").isEmpty()) {
            findings.add(Finding.problem("Java", "it has no module jdk.incubator.vector, which trainers compute with",
                    "Install a whole JDK, not one that was cut to size."));
        }
        // Names of files go through this, whatever else is UTF-8 by now.
        String names = System.getProperty("sun.jnu.encoding", "");
        findings.add(names.equalsIgnoreCase("UTF-8") ? Finding.ok("locale", "UTF-8")
                : Finding.problem("locale", names + ": files with names beyond it cannot be opened",
                        "Set LC_ALL=C.UTF-8, or start with ./nocturne, which does."));
        return findings;
    }
}
