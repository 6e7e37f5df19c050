package nocturne;

import picocli.CommandLine.IVersionProvider;

/// What `--version` prints. The number comes from the jar's manifest, so it is written down once, in pom.xml.
final class Version implements IVersionProvider {
    Version() {}

    /// Such as `0.1.0`.
    static String number() {
        String number = Version.class.getPackage().getImplementationVersion();
        return number == null ? "(not from a jar)" : number;
    }

    @Override
    public String[] getVersion() {
        return new String[] {
            "nocturne " + number(),
            "Java " + Runtime.version() + ", " + System.getProperty("os.name") + " " + System.getProperty("os.arch")
        };
    }
}
