package nocturne;

import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import nocturne.desk.Logs;
import nocturne.desk.doctor.Doctor;
import nocturne.desk.doctor.Finding;
import nocturne.desk.doctor.Patient;
import nocturne.hub.HubCache;
import nocturne.service.ManagementConfig;
import nocturne.service.ModelsConfig;
import nocturne.service.ServiceConfig;
import nocturne.service.Settings;
import nocturne.service.kafka.KafkaConfig;
import nocturne.service.kafka.KafkaSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `nocturne doctor`: could a job run here?
@Command(name = "doctor",
        description = "Looks at Java, memory, GPUs, disk, models, Kafka and the service, and says what to do about"
                + " each. Ends with 0 if a job could run, with 74 if not.")
final class DoctorCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--json", description = "As a JSON object, for programs.")
    private boolean json;

    @Mixin
    private SettingsOptions settings = new SettingsOptions();

    DoctorCommand() {}

    @Override
    public Integer call() {
        Logs.withoutKafka();
        PrintWriter out = spec.commandLine().getOut();
        try (Settings read = settings.read()) {
            ManagementConfig management = read.of(ManagementConfig.class);
            ServiceConfig service = read.of(ServiceConfig.class);
            Doctor doctor = new Doctor(new Patient(service, read.of(ModelsConfig.class).below(service.home()),
                    HubCache.ofThisUser().orElse(null), management.host(), management.port(), kafka(read)));
            List<Finding> findings = doctor.examine(finding -> {
                if (!json) Doctor.print(finding, out);
            });
            for (String warning : read.warnings()) spec.commandLine().getErr().println(warning);
            if (json) out.println(Doctor.json(findings));
            else out.printf("%n%s%n", Doctor.isFit(findings) ? "A job could run here." : "No job could run here.");
            return (Doctor.isFit(findings) ? ExitCode.DONE : ExitCode.SICK_MACHINE).number();
        }
    }

    private static Patient.Kafka kafka(Settings read) {
        KafkaConfig config = read.of(KafkaConfig.class);
        List<String> topics = List.of(config.jobs(), config.claims(), config.events(), config.commands(),
                config.deadLetters());
        return new Patient.Kafka(config.brokers(), topics,
                config.isOn() ? read.of(KafkaSettings.class).common() : Map.of());
    }
}
