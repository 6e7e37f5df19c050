package nocturne.report;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/// Reports are made on servers without fonts or a window system, where the JDK's own drawing fails.
class BarestMachineTest {

    @Test
    void drawingNeedsNothingOfTheWindowSystem() {
        JavaClasses ours = new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("nocturne.report");
        noClasses().that().resideInAPackage("nocturne.report..")
                .should().dependOnClassesThat().resideInAnyPackage("java.awt..", "javax.swing..", "javax.imageio..")
                .because("a machine without fonts shall make the same report")
                .check(ours);
    }
}
