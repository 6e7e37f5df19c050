package nocturne;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/// The arrows of docs/ARCHITECTURE.md, as tests: who may know whom, and what is absent on purpose.
///
/// A rule about a package that has no classes yet passes: the map is drawn before the land is settled.
@AnalyzeClasses(packages = "nocturne", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {

    @ArchTest
    static final ArchRule problem_uses_nothing_of_ours = arrows("problem");

    @ArchTest
    static final ArchRule io_knows_only_problems = arrows("io", "problem");

    @ArchTest
    static final ArchRule hub_knows_only_files = arrows("hub", "io", "problem");

    @ArchTest
    static final ArchRule image_knows_only_problems = arrows("image", "problem");

    @ArchTest
    static final ArchRule tensor_knows_no_model_and_no_backend = arrows("tensor", "quant", "io", "problem");

    @ArchTest
    static final ArchRule cpu_knows_no_model = arrows("cpu", "tensor", "quant", "io", "problem");

    @ArchTest
    static final ArchRule cuda_knows_no_model = arrows("cuda", "tensor", "quant", "io", "problem");

    @ArchTest
    static final ArchRule quant_knows_no_tensor_and_no_model = arrows("quant", "io", "problem");

    @ArchTest
    static final ArchRule qwen_knows_no_backend_and_no_training =
            arrows("qwen", "quant", "tensor", "io", "image", "problem");

    @ArchTest
    static final ArchRule adapter_knows_no_backend_and_no_training =
            arrows("adapter", "tensor", "io", "image", "problem");

    @ArchTest
    static final ArchRule dataset_knows_no_model = arrows("dataset", "image", "io", "problem");

    @ArchTest
    static final ArchRule recipe_knows_only_what_a_person_wrote = arrows("recipe", "quant", "io", "problem");

    @ArchTest
    static final ArchRule bundle_knows_only_files = arrows("bundle", "io", "image", "problem");

    @ArchTest
    static final ArchRule report_knows_only_numbers_and_pictures =
            arrows("report", "dataset", "image", "io", "problem");

    @ArchTest
    static final ArchRule event_knows_only_problems = arrows("event", "problem");

    @ArchTest
    static final ArchRule plan_looks_at_what_was_given_and_computes_nothing =
            arrows("plan", "hub", "bundle", "recipe", "dataset", "image", "io", "problem");

    @ArchTest
    static final ArchRule job_knows_no_door_and_no_trainer = arrows("job", "event", "io", "problem");

    @ArchTest
    static final ArchRule service_never_loads_a_model =
            arrows("service", "job", "plan", "event", "hub", "bundle", "recipe", "dataset", "image", "io",
                    "problem");

    @ArchTest
    static final ArchRule desk_looks_at_the_service_from_outside =
            arrows("desk", "service", "job", "plan", "event", "hub", "bundle", "recipe", "io", "problem");

    @ArchTest
    static final ArchRule only_the_service_knows_its_frameworks = noClasses()
            .that().resideOutsideOfPackages("nocturne", "nocturne.service..", "nocturne.desk..")
            .should().dependOnClassesThat()
            .resideInAnyPackage("org.apache.camel..", "org.apache.kafka..", "io.micronaut..", "org.slf4j..",
                    "software.amazon..")
            .because("what a job is must not depend on how it comes in")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule only_the_store_loads_its_client = noClasses()
            .that().doNotHaveSimpleName("S3Store")
            .should().dependOnClassesThat().resideInAPackage("software.amazon..")
            .because("it takes a second to load, and most services never meet such an address")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule sample_knows_no_training_and_no_backend =
            arrows("sample", "qwen", "adapter", "tensor", "image", "io", "problem");

    @ArchTest
    static final ArchRule memory_counts_without_a_device =
            arrows("memory", "qwen", "adapter", "quant", "tensor", "io", "problem");

    @ArchTest
    static final ArchRule train_is_used_by_commands_only = noClasses()
            .that(not(resideInAnyPackage("nocturne", "nocturne.train..")))
            .should().dependOnClassesThat().resideInAPackage("nocturne.train..")
            .because("the loop puts the parts together; no part may know the whole")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule no_cycles =
            slices().matching("nocturne.(*)..").should().beFreeOfCycles().allowEmptyShould(true);

    @ArchTest
    static final ArchRule only_backends_touch_native_code = noClasses()
            .that().resideOutsideOfPackages("nocturne.cpu..", "nocturne.cuda..")
            .should().dependOnClassesThat().resideInAPackage("org.bytedeco..")
            .because("the service must never load a native compute library")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule only_the_facades_touch_the_bindings_of_cuda = noClasses()
            .that(not(nameMatching("nocturne\\.cuda\\.(CudaDriver|CublasLt)(\\$.*)?")))
            .should().dependOnClassesThat().resideInAPackage("org.bytedeco.cuda..")
            .because("a function that a library lacks ends the process, so all calls stand where a test counts them")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule only_the_device_touches_the_facade = noClasses()
            .that().doNotHaveSimpleName("CudaDevice").and(not(nameMatching("nocturne\\.cuda\\.CudaDriver(\\$.*)?")))
            .should().dependOnClassesThat().haveFullyQualifiedName("nocturne.cuda.CudaDriver")
            .because("where there is no driver, touching the binding fails, and then fails for ever")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule only_backends_touch_the_vector_unit = noClasses()
            .that().resideOutsideOfPackages("nocturne.cpu..", "nocturne.cuda..")
            .should().dependOnClassesThat().resideInAPackage("jdk.incubator.vector..")
            .because("an incubating interface will change, and then one package should have to follow")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule only_the_command_ends_the_process = noClasses()
            .that().resideOutsideOfPackage("nocturne").and().doNotHaveSimpleName("CrashPoint")
            .should().callMethod(System.class, "exit", int.class)
            .orShould().callMethod(Runtime.class, "exit", int.class)
            .orShould().callMethod(Runtime.class, "halt", int.class)
            .because("an exit code is part of the command line, see ExitCode")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule the_engine_tells_by_events_not_by_logging = noClasses()
            .that().resideOutsideOfPackage("nocturne")
            .should().dependOnClassesThat().resideInAPackage("java.util.logging..")
            .because("what is worth saying is an event, an exception or a line of the report")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule chance_depends_on_seed_and_position_only = noClasses()
            .should().dependOnClassesThat().belongToAnyOf(Random.class, SplittableRandom.class, ThreadLocalRandom.class)
            .orShould().callMethod(Math.class, "random")
            .because("a resumed run must draw what the interrupted one would have drawn, see docs/decisions/0003")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule names_say_what_a_thing_is = noClasses()
            .should().haveNameMatching(".*(Util|Utils|Helper|Impl|Manager)")
            .because("a noun from the subject is always better")
            .allowEmptyShould(true);

    /// Classes of package `from` use, among our own, only those of `from` itself and of `allowed`.
    private static ArchRule arrows(String from, String... allowed) {
        String[] known = Stream.concat(Stream.of(from), Stream.of(allowed))
                .map(name -> "nocturne." + name + "..")
                .toArray(String[]::new);
        return noClasses()
                .that().resideInAPackage("nocturne." + from + "..")
                .should().dependOnClassesThat(resideInAPackage("nocturne..").and(not(resideInAnyPackage(known))))
                .because("arrows point downwards only, see docs/ARCHITECTURE.md")
                .allowEmptyShould(true);
    }
}
