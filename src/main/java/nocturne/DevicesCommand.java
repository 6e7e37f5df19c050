package nocturne;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import nocturne.cuda.Card;
import nocturne.cuda.CudaLibraries;
import nocturne.cuda.CudaLibrary;
import nocturne.cuda.CudaPresence;
import nocturne.cuda.CudaProbe;
import nocturne.desk.Printable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `nocturne devices`: what can be computed on here, and why a card is not among it.
///
/// Asks the driver in its own process, which a broken driver may hang or end: `doctor` calls it as a child.
@Command(name = "devices",
        description = "Lists what can be computed on, and NVIDIA's libraries that were found, with what to do about"
                + " those that were not.")
final class DevicesCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--json", description = "As a JSON object, for programs.")
    private boolean json;

    @Mixin
    private DeviceOptions.LibraryOptions libraries = new DeviceOptions.LibraryOptions();

    DevicesCommand() {}

    @Override
    public Integer call() {
        libraries.check(spec.commandLine());
        CudaPresence presence = CudaProbe.look();
        CudaLibraries found = CudaLibraries.find(libraries.folder());
        PrintWriter out = spec.commandLine().getOut();
        if (json) out.println(json(presence, found));
        else print(presence, found, out);
        return ExitCode.DONE.number();
    }

    private static void print(CudaPresence presence, CudaLibraries libraries, PrintWriter out) {
        out.printf("%-8s %d processors%n", "cpu", Runtime.getRuntime().availableProcessors());
        switch (presence) {
            case CudaPresence.Absent absent -> {
                out.printf("%-8s %s%n", "no card", Printable.of(absent.reason()));
                todo(absent.remedy(), out);
            }
            case CudaPresence.Found cards -> {
                for (Card card : cards.cards()) {
                    out.printf("%-8s %s%s%n", card.device(), Printable.of(card.toString()),
                            card.isUsable() ? "" : ": too old");
                }
                out.printf("%-8s for CUDA %s%n", "driver", cards.driver());
            }
        }
        for (CudaLibrary library : CudaLibrary.values()) {
            Optional<Path> file = libraries.file(library);
            out.printf("%-18s %s%n", library.file(), file.map(path -> Printable.of(path.toString()))
                    .orElse("not found: " + library.without()));
            if (file.isEmpty()) todo(library.remedy(), out);
        }
    }

    private static void todo(String what, PrintWriter out) {
        out.printf("%8s -> %s%n", "", what);
    }

    private static ObjectNode json(CudaPresence presence, CudaLibraries libraries) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        switch (presence) {
            case CudaPresence.Absent absent ->
                    node.putObject("absent").put("reason", absent.reason()).put("remedy", absent.remedy());
            case CudaPresence.Found cards -> {
                node.put("driver", cards.driver());
                ArrayNode devices = node.putArray("devices");
                for (Card card : cards.cards()) {
                    devices.addObject().put("device", card.device()).put("card", card.toString())
                            .put("usable", card.isUsable()).put("kernels", libraries.haveKernelsFor(card));
                }
            }
        }
        ArrayNode all = node.putArray("libraries");
        for (CudaLibrary library : CudaLibrary.values()) {
            ObjectNode each = all.addObject().put("name", library.file()).put("needed", library.isNeeded());
            libraries.file(library).ifPresentOrElse(file -> each.put("file", file.toString()),
                    () -> each.put("without", library.without()).put("remedy", library.remedy()));
        }
        return node;
    }
}
