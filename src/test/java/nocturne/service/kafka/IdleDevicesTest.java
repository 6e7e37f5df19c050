package nocturne.service.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.broker.TestBroker;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Eight pretended devices on three service processes: 3, 3 and 2. How long each of them waited for its next job while
/// there was one is printed and not asserted, because that is the machine's, too.
final class IdleDevicesTest {
    private static final int[] DEVICES = {3, 3, 2};

    @TempDir
    Path folder;

    @Promise(row = 13, fault = "three processes with eight devices, all of them wanting the same topic",
            with = "pretended trainers")
    @Test
    void everyDeviceGetsWorkWhileThereIsSome() throws Exception {
        int count = Integer.getInteger("nocturne.jobs", 20);
        Duration training = Duration.ofMillis(Integer.getInteger("nocturne.training", 1_000));
        KafkaConfig config = TestHost.config(TestBroker.bootstrap(), TestBroker.fresh("idle"), Duration.ofSeconds(5),
                Duration.ofMinutes(5));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", config.brokers()))) {
            new Topics(config).create(admin);
        }
        String[] ids = new String[count];
        for (int i = 0; i < count; i++) ids[i] = "job-" + i;
        Topic.request(config, ids);
        List<HostProcess> hosts = new ArrayList<>();
        try {
            for (int i = 0; i < DEVICES.length; i++) {
                hosts.add(HostProcess.start(config, "h" + i, folder.resolve("h" + i), DEVICES[i], training, "", ""));
            }
            await().atMost(Duration.ofMinutes(5)).until(() ->
                    hosts.stream().mapToInt(host -> host.lines(JobState.COMPLETED).size()).sum() >= count);
            assertThat(hosts.stream().flatMap(host -> host.lines(JobState.COMPLETED).stream())
                    .map(HostProcess.Line::job)).doesNotHaveDuplicates().hasSize(count);
            report(hosts);
        } finally {
            hosts.forEach(HostProcess::close);
        }
    }

    /// A device that becomes free is matched with the next start on its host.
    private static void report(List<HostProcess> hosts) {
        long last = hosts.stream().flatMap(host -> host.lines(JobState.QUEUED).stream())
                .mapToLong(HostProcess.Line::nanos).max().orElseThrow();
        List<Double> waits = new ArrayList<>();
        for (HostProcess host : hosts) {
            List<Long> ends = host.lines(JobState.COMPLETED).stream().map(HostProcess.Line::nanos).sorted().toList();
            List<Long> starts = host.lines(JobState.RUNNING).stream().map(HostProcess.Line::nanos)
                    .sorted(Comparator.naturalOrder()).toList();
            int first = starts.size() - ends.size();
            for (int i = 0; i < ends.size(); i++) {
                if (ends.get(i) > last) continue;
                int next = DEVICES[hosts.indexOf(host)] + i;
                long until = next < starts.size() ? starts.get(next) : last;
                waits.add((until - ends.get(i)) / 1e9);
            }
            System.out.printf("%d starts, %d ends, %d running%n", starts.size(), ends.size(), first);
        }
        waits.sort(Comparator.naturalOrder());
        System.out.printf("waited for the next job, of %d times: median %.2f s, 90 %% %.2f s, longest %.2f s%n",
                waits.size(), waits.get(waits.size() / 2), waits.get(waits.size() * 9 / 10), waits.getLast());
    }
}
