package nocturne.desk.doctor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import nocturne.desk.Printable;
import nocturne.desk.doctor.Finding.Level;

/// Looks at everything a job needs.
public final class Doctor {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LONGEST = 400;

    private final Map<String, Check> checks = new LinkedHashMap<>();

    public Doctor(Patient patient) {
        checks.put("Java", new JavaCheck());
        checks.put("machine", new MachineCheck());
        checks.put("GPU", new GpuCheck());
        checks.put("folders", new FolderCheck(patient.config()));
        checks.put("models", new ModelCheck(patient.models(), patient.cache()));
        checks.put("Kafka", new KafkaCheck(patient.kafka()));
        checks.put("service", new ServiceCheck(patient.config(), patient.managementHost(), patient.managementPort()));
    }

    /// @param heard gets every finding as soon as it is made: some take seconds
    /// @return all of them
    public List<Finding> examine(Consumer<Finding> heard) {
        return checks.entrySet().stream().flatMap(check -> look(check.getKey(), check.getValue()).stream())
                .peek(heard).toList();
    }

    private static List<Finding> look(String topic, Check check) {
        try {
            return check.look();
        } catch (Exception e) {
            if (e instanceof InterruptedException) Thread.currentThread().interrupt();
            return List.of(Finding.problem(topic, "cannot be looked at: " + e, "Please report this."));
        }
    }

    /// Whether a job could run.
    public static boolean isFit(List<Finding> findings) {
        return findings.stream().noneMatch(finding -> finding.level() == Level.PROBLEM);
    }

    public static void print(Finding finding, PrintWriter out) {
        out.printf("%-8s %-9s %s%n", finding.level().word(), finding.topic(), Printable.of(finding.found(), LONGEST));
        if (!finding.todo().isEmpty()) out.printf("%18s -> %s%n", "", Printable.of(finding.todo(), LONGEST));
        out.flush();
    }

    public static String json(List<Finding> findings) {
        ObjectNode node = JsonNodeFactory.instance.objectNode().put("fit", isFit(findings));
        node.set("findings", JSON.valueToTree(findings));
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(node);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
