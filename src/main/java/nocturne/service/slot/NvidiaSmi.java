package nocturne.service.slot;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/// NVIDIA's GPUs, as `nvidia-smi -q -x` describes them: a child process, so that a driver that hangs or crashes takes
/// nothing of ours along.
///
/// The XML and not `--query-gpu`, because drivers differ in the fields they know and refuse a query that names another.
/// Here a field that is not there says nothing, whatever the driver's version. A machine without the program has no
/// GPUs, which is normal.
final class NvidiaSmi implements DeviceHealth {
    private static final String ACTIVE = "Active";
    /// What slows a device down to protect it. Its power limit is not among them: that is how it is meant to run.
    private static final Map<String, String> SLOWDOWNS = new LinkedHashMap<>(Map.of(
            "hw_thermal_slowdown", "too hot (hardware)",
            "sw_thermal_slowdown", "too hot (driver)",
            "hw_power_brake_slowdown", "power brake",
            "hw_slowdown", "hardware slowdown"));

    private static final Set<String> TOO_OLD = Set.of("fermi", "kepler", "maxwell", "pascal", "volta", "turing");
    private static final int CUDA_MAJOR = 13;

    private final String program;
    private final Duration timeout;

    NvidiaSmi(String program, Duration timeout) {
        this.program = program;
        this.timeout = timeout;
    }

    @Override
    public Optional<Map<String, Reading>> read() throws IOException, InterruptedException {
        Path answer = Files.createTempFile("nocturne-gpus-", ".xml");
        try {
            Process process;
            try {
                // Into a file: a pipe would have to be emptied while the time runs.
                process = new ProcessBuilder(program, "-q", "-x").redirectErrorStream(true)
                        .redirectOutput(answer.toFile()).start();
            } catch (IOException notInstalled) {
                return Optional.of(Map.of());
            }
            process.getOutputStream().close();
            if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                throw new IOException("%s gave no answer in %d s; the driver may hang".formatted(program,
                        timeout.toSeconds()));
            }
            return Optional.of(parse(Files.readString(answer)));
        } finally {
            Files.deleteIfExists(answer);
        }
    }

    /// @param text of the program: XML, or words about why there is none
    /// @throws IOException if it describes no GPUs
    static Map<String, Reading> parse(String text) throws IOException {
        int start = text.indexOf("<?xml");
        if (start < 0) throw new IOException("nvidia-smi said: " + Words.shown(text.strip()));
        Map<String, Reading> readings = new LinkedHashMap<>();
        Element log = document(text.substring(start)).getDocumentElement();
        NodeList gpus = log.getElementsByTagName("gpu");
        for (int i = 0; i < gpus.getLength(); i++) {
            // In the order of their bus addresses, as CUDA counts with CUDA_DEVICE_ORDER=PCI_BUS_ID.
            String device = "cuda:" + i;
            readings.put(device, reading(device, (Element) gpus.item(i), text(log, "cuda_version")));
        }
        return readings;
    }

    private static Reading reading(String device, Element gpu, String cuda) {
        return new Reading(device, text(gpu, "product_name"), recovery(gpu), uncorrectable(gpu), slowdowns(gpu),
                mebibytes(child(gpu, "fb_memory_usage"), "used"), processes(gpu),
                inability(text(gpu, "product_architecture"), cuda));
    }

    /// @param architecture such as `Hopper`; empty where the driver does not say
    /// @param cuda         the newest CUDA that the driver runs, such as `13.0`; the same
    private static String inability(String architecture, String cuda) {
        if (TOO_OLD.contains(architecture.toLowerCase(Locale.ROOT))) {
            return "%s is older than Ampere, and the kernels need compute capability 8.0".formatted(architecture);
        }
        long major = number(cuda);
        if (major == 0 || major >= CUDA_MAJOR) return "";
        return "its driver runs CUDA %s, and %d.0 is needed; install driver 580 or newer".formatted(cuda, CUDA_MAJOR);
    }

    private static Recovery recovery(Element gpu) {
        String all = gpu.getTextContent();
        if (all.contains("GPU is lost")) return Recovery.LOST;
        if (all.contains("GPU requires reset")) return Recovery.RESET;
        return switch (text(gpu, "gpu_recovery_action").toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", " ")) {
            case "reset", "gpu reset" -> Recovery.RESET;
            case "reboot", "node reboot" -> Recovery.REBOOT;
            case "drain p2p" -> Recovery.DRAIN_P2P;
            case "drain and reset" -> Recovery.DRAIN_AND_RESET;
            // Drivers before that one asked two questions instead.
            default -> text(gpu, "reset_required").equals("Yes") ? Recovery.RESET
                    : text(gpu, "drain_and_reset_recommended").equals("Yes") ? Recovery.DRAIN_AND_RESET
                    : Recovery.NONE;
        };
    }

    /// Volatile ones, of whatever kind this driver tells apart: `dram_uncorrectable` and `sram_uncorrectable...` since
    /// Ampere, `double_bit/total` before.
    private static long uncorrectable(Element gpu) {
        Element counts = child(child(gpu, "ecc_errors"), "volatile");
        long sum = number(text(child(counts, "double_bit"), "total"));
        for (Element count : children(counts)) {
            if (count.getTagName().contains("uncorrectable")) sum += number(count.getTextContent());
        }
        return sum;
    }

    /// `clocks_event_reasons`, in older drivers `clocks_throttle_reasons`.
    private static List<String> slowdowns(Element gpu) {
        List<String> found = new ArrayList<>();
        for (String kind : List.of("event", "throttle")) {
            Element reasons = child(gpu, "clocks_" + kind + "_reasons");
            SLOWDOWNS.forEach((name, words) -> {
                if (text(reasons, "clocks_" + kind + "_reason_" + name).equals(ACTIVE)) found.add(words);
            });
        }
        return found.stream().sorted().toList();
    }

    private static Set<Long> processes(Element gpu) {
        Set<Long> found = new HashSet<>();
        for (Element process : children(child(gpu, "processes"))) {
            // G is the desktop drawing itself, which disturbs nobody.
            if (text(process, "type").contains("C")) found.add(number(text(process, "pid")));
        }
        found.remove(0L);
        return found;
    }

    private static Element child(Element parent, String name) {
        return children(parent).stream().filter(child -> child.getTagName().equals(name)).findFirst()
                .orElseGet(() -> parent.getOwnerDocument().createElement("absent"));
    }

    private static List<Element> children(Element parent) {
        List<Element> children = new ArrayList<>();
        for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node instanceof Element element) children.add(element);
        }
        return children;
    }

    /// Of the first such element anywhere below; empty if there is none.
    private static String text(Element parent, String name) {
        Node found = parent.getElementsByTagName(name).item(0);
        return found == null ? "" : found.getTextContent().strip();
    }

    private static long mebibytes(Element parent, String name) {
        return number(text(parent, name)) << 20;
    }

    /// `15 MiB` is 15; `N/A` and the like are 0.
    private static long number(String text) {
        String digits = text.strip().replaceFirst("^(\\d{1,15}).*$", "$1");
        return digits.matches("\\d{1,15}") ? Long.parseLong(digits) : 0;
    }

    private static Document document(String xml) throws IOException {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            // The text names a document type that lies nowhere.
            factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
            factory.setFeature("http://xml.org/sax/features/external-general-entities", false);
            factory.setExpandEntityReferences(false);
            DocumentBuilder builder = factory.newDocumentBuilder();
            builder.setErrorHandler(null);
            return builder.parse(new InputSource(new ByteArrayInputStream(xml.getBytes(
                    java.nio.charset.StandardCharsets.UTF_8))));
        } catch (ParserConfigurationException | SAXException e) {
            throw new IOException("nvidia-smi's answer cannot be read: " + e.getMessage(), e);
        }
    }
}
