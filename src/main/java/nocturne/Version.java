package nocturne;

import picocli.CommandLine.IVersionProvider;

/// What `--version` prints. The number comes from the jar's manifest, so it is written down once, in pom.xml.
final class Version implements IVersionProvider {
    Version() {}

    @Override
    public String[] getVersion() {
        String number = Version.class.getPackage().getImplementationVersion();
        return new String[] {
            "nocturne " + (number == null ? "(not from a jar)" : number),
            "Java " + Runtime.version() + ", " + System.getProperty("os.name") + " " + System.getProperty("os.arch")
        };
    }
}
