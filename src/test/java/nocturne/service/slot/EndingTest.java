package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import nocturne.event.EventLine;
import nocturne.problem.Problem;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// The exit codes are those of sysexits.h, as the trainer's `--help` lists them.
final class EndingTest {
    private static final Wish HUNG = new Wish(Wish.Kind.HUNG, "HUNG", "it hung");

    @Test
    void isDoneOnlyWithAResult() {
        assertThat(ending(0, null, true, null, "")).isEqualTo(new Ending.Done());
        assertThat(ending(0, null, false, null, "")).isInstanceOfSatisfying(Ending.Crashed.class,
                crash -> assertThat(crash.code()).isEqualTo("NO_RESULT"));
        assertThat(ending(0, Wish.HOST_STOPPING, true, null, "")).as("it was quicker").isEqualTo(new Ending.Done());
    }

    @Test
    void failsForGoodOverTheInputWhateverWasAskedMeanwhile() {
        EventLine failed = failed("RECIPE_INVALID", "recipe.yaml has 1 problem.");
        failed.data().putArray("problems").addObject().put("code", "RECIPE_INVALID").put("where", "line 3")
                .put("what", "0 is not allowed");
        Ending expected = new Ending.Failed("RECIPE_INVALID", "recipe.yaml has 1 problem.",
                List.of(new Problem("RECIPE_INVALID", "line 3", "0 is not allowed")));
        assertThat(ending(64, null, false, failed, "")).isEqualTo(expected);
        assertThat(ending(64, Wish.HOST_STOPPING, false, failed, "")).isEqualTo(expected);
        assertThat(ending(64, null, false, null, "no such option\n")).isEqualTo(
                new Ending.Failed("TRAINER_REFUSED", "no such option\n", List.of()));
    }

    @Test
    void aWishExplainsAnyOtherEnd() {
        for (int code : new int[] {1, 70, 74, 75, 76, 130, 137, 143}) {
            assertThat(ending(code, Wish.HOST_STOPPING, false, null, ""))
                    .isEqualTo(new Ending.Interrupted("HOST_STOPPING", Wish.HOST_STOPPING.message()));
            assertThat(ending(code, Wish.CANCEL, false, null, "")).isEqualTo(new Ending.Cancelled());
            assertThat(ending(code, HUNG, false, null, "")).isEqualTo(new Ending.Crashed("HUNG", "it hung"));
        }
    }

    @Test
    void tellsMachineFromDeviceFromDisk() {
        assertThat(ending(74, null, false, failed("DISK_FULL", "writing x"), ""))
                .isEqualTo(new Ending.DiskFull("writing x"));
        assertThat(ending(74, null, false, failed("FILE_UNREADABLE", "reading x"), ""))
                .isEqualTo(new Ending.Crashed("FILE_UNREADABLE", "reading x"));
        assertThat(ending(76, null, false, failed("DEVICE_LOST", "no device"), ""))
                .isEqualTo(new Ending.DeviceSick("DEVICE_LOST", "no device"));
        assertThat(ending(76, null, false, failed("DEVICE_ERROR_700", "launching silu_bf16"), ""))
                .isEqualTo(new Ending.Crashed("DEVICE_ERROR_700", "launching silu_bf16"));
        assertThat(ending(76, null, false, failed("GPU_OUT_OF_MEMORY", "needs 31 GiB"), ""))
                .isEqualTo(new Ending.OutOfMemory("needs 31 GiB"));
        assertThat(ending(74, null, false, failed("MEMORY_TAKEN", "had more room"), ""))
                .isEqualTo(new Ending.MemoryTaken("had more room"));
        // A trainer whose disk is full may have no log to say it in: then its complaint ends with the code.
        assertThat(ending(74, null, false, null, "writing x: the disk is full [DISK_FULL]"))
                .isInstanceOf(Ending.DiskFull.class);
    }

    @Test
    void namesTheSignal() {
        assertThat(ending(139, null, false, null, "# SIGSEGV in libfake")).isEqualTo(new Ending.Crashed("CRASHED",
                "the trainer was ended by SIGSEGV; its last words: # SIGSEGV in libfake"));
        assertThat(((Ending.Crashed) ending(137, null, false, null, "")).message()).contains("too little memory");
        assertThat(((Ending.Crashed) ending(1, null, false, null, "")).message()).contains("ended with code 1");
    }

    @Test
    void anUnaskedStopIsAnInterruption() {
        assertThat(ending(75, null, false, null, "")).isInstanceOf(Ending.Interrupted.class);
    }

    private static Ending ending(int code, @Nullable Wish wish, boolean completed, @Nullable EventLine failed,
            String lastWords) {
        return Ending.of(new Ending.Facts(code, wish, completed, failed, lastWords));
    }

    private static EventLine failed(String code, String message) {
        ObjectNode data = JsonNodeFactory.instance.objectNode().put("code", code).put("message", message);
        return new EventLine("", "a/1/2", "nocturne.job.failed.v1", "a", 2, "", 0, data);
    }
}
