package nocturne.cuda;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.ClassSelector;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/// Runs test classes on a machine with a card that has no Maven: `bench/gpu.sh` calls it.
///
/// Arguments are names of test classes. First it counts the kernels, to show that they are there. Without a card it
/// says so and ends with 3; with a failed test, with 1.
final class OnCard {
    private static final int NO_CARD = 3;

    private OnCard() {}

    public static void main(String[] classes) {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        out.println(KernelSources.ofProgram().units().size() + " families of kernels");
        Optional<Card> card = TestCard.find();
        if (card.isEmpty()) {
            out.println("no card: the tests were not run");
            System.exit(NO_CARD);
        }
        out.println("tests on " + card.get());
        TestExecutionSummary summary = run(List.of(classes), out);
        summary.printTo(out);
        summary.printFailuresTo(out, 30);
        System.exit(summary.getTotalFailureCount() == 0 && summary.getTestsSucceededCount() > 0 ? 0 : 1);
    }

    private static TestExecutionSummary run(List<String> classes, PrintWriter out) {
        SummaryGeneratingListener summary = new SummaryGeneratingListener();
        ClassSelector[] selectors =
                classes.stream().map(name -> selectClass(name)).toArray(ClassSelector[]::new);
        LauncherConfig config = LauncherConfig.builder().enableTestExecutionListenerAutoRegistration(false).build();
        Launcher launcher = LauncherFactory.create(config);
        launcher.execute(LauncherDiscoveryRequestBuilder.request().selectors(Arrays.asList(selectors)).build(),
                summary, new Lines(out));
        return summary.getSummary();
    }

    /// A line for each test, so that one that hangs or takes the process with it is known.
    private record Lines(PrintWriter out) implements TestExecutionListener {
        @Override
        public void executionStarted(TestIdentifier test) {
            if (test.isTest()) out.print(test.getUniqueId().replaceFirst(".*\\[class:", "[") + " ... ");
            out.flush();
        }

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            if (test.isTest()) out.println(result.getStatus());
        }

        @Override
        public void executionSkipped(TestIdentifier test, String reason) {
            out.println(test.getDisplayName() + " left out: " + reason);
        }
    }
}
