package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.List;
import nocturne.cuda.SimulatedDevice.Order;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The simulator sees the mistakes that a GPU would forgive on some days: each kernel of `src/test/kernels/faulty.cu`
/// has one. Where there is a twin without the mistake, that one must pass, so that it is the mistake which is seen.
class SimulatorTest {
    private static final int THREADS = 64;

    private TestKernels kernels = new TestKernels("faulty.cu", Order.ASCENDING);

    @AfterEach
    void stop() {
        kernels.close();
    }

    private static float[] ramp(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) numbers[i] = i;
        return numbers;
    }

    private float[] result(String kernel, float[] x, int count, int threads) {
        MemorySegment y = kernels.memory(count);
        kernels.arguments.start().pointer(kernels.memory(x)).pointer(y);
        kernels.run(kernel, 1, threads, 4 * THREADS);
        return TestKernels.floats(y);
    }

    private AbstractThrowableAssert<?, ? extends Throwable> assertFault(String kernel, int blocks, int threads) {
        return assertThatThrownBy(() -> kernels.run(kernel, blocks, threads, 64)).isInstanceOf(SimulatedFault.class)
                .hasMessageStartingWith(kernel);
    }

    /// What was not yet written is NaN, also where an earlier block has left its numbers.
    @ParameterizedTest
    @EnumSource(Order.class)
    void aMissingBarrierShowsAsNaN(Order order) {
        kernels.close();
        kernels = new TestKernels("faulty.cu", order);
        for (int launch = 0; launch < 2; launch++) {
            float[] correct = result("reverse", ramp(THREADS), THREADS, THREADS);
            for (int i = 0; i < THREADS; i++) assertThat(correct[i]).isEqualTo(THREADS - 1 - i);
            assertThat(result("reverse_without_barrier", ramp(THREADS), THREADS, THREADS)).contains(Float.NaN);
        }
    }

    /// Where nothing is NaN any more, the order of threads decides the result: twin tests compare the orders.
    @Test
    void aRaceGivesOtherBitsInAnotherOrder() {
        float[] correct = result("two_rounds", ramp(THREADS), THREADS, THREADS);
        float[] ascending = result("two_rounds_with_one_barrier_less", ramp(THREADS), THREADS, THREADS);
        kernels.close();
        kernels = new TestKernels("faulty.cu", Order.DESCENDING);
        assertThat(result("two_rounds", ramp(THREADS), THREADS, THREADS)).isEqualTo(correct);
        assertThat(result("two_rounds_with_one_barrier_less", ramp(THREADS), THREADS, THREADS)).isNotEqualTo(ascending);
    }

    /// A warp that is through with a round begins the next while another still reads the last. Where all threads take
    /// turns, none is ever that far ahead; and a warp must be ahead of the one that reads.
    @ParameterizedTest
    @CsvSource({"0, DESCENDING", "1, ASCENDING"})
    void aWarpThatRunsAheadOverwritesWhatAnotherStillReads(int reader, Order seenIn) {
        for (Order order : Order.values()) {
            kernels.close();
            kernels = new TestKernels("faulty.cu", order);
            float[] correct = sumsOfRounds("sum_rounds", reader);
            assertThat(correct).as("%s", order).containsExactly(64, 128);
            float[] faulty = sumsOfRounds("sum_rounds_with_one_barrier_less", reader);
            if (order == seenIn) assertThat(faulty).as("%s", order).isNotEqualTo(correct);
            else assertThat(faulty).as("%s", order).isEqualTo(correct);
        }
    }

    private float[] sumsOfRounds(String kernel, int reader) {
        MemorySegment y = kernels.memory(2);
        kernels.arguments.start().pointer(y).integer(reader);
        kernels.run(kernel, 1, THREADS, 0);
        return TestKernels.floats(y);
    }

    /// On a card each file is a module for itself.
    @Test
    void filesMayHaveFunctionsAndStructsOfTheSameName() {
        kernels.close();
        kernels = new TestKernels(List.of("same_name.cu", "same_name_again.cu"), Order.ASCENDING, 1);
        MemorySegment y = kernels.memory(2);
        kernels.arguments.start().pointer(y);
        kernels.run("number_of_one_file", 1, 1, 0);
        assertThat(TestKernels.floats(y)).containsExactly(1, 1);
        kernels.run("number_of_the_other_file", 1, 1, 0);
        assertThat(TestKernels.floats(y)).containsExactly(2, 2);
    }

    @Test
    void aCopyThatIsWaitedForTooShallowlyHasNotArrived() {
        assertThat(result("copy_two_groups", ramp(8), 8, 1)).isEqualTo(ramp(8));
        assertThat(result("copy_two_groups_waiting_for_one", ramp(8), 8, 1))
                .containsExactly(0, 1, 2, 3, Float.NaN, Float.NaN, Float.NaN, Float.NaN);
    }

    /// 64 floats end where the guard begins; 63 and 61 leave a margin in front of it.
    @ParameterizedTest
    @ValueSource(ints = {64, 63, 61})
    void aWriteBehindTheEndIsSeen(int count) {
        MemorySegment y = kernels.memory(count);
        kernels.arguments.start().pointer(y).longInteger(0);
        kernels.run("write_at", 1, count, 0);
        kernels.arguments.start().pointer(y).longInteger(1);
        assertFault("write_at", 1, count).hasMessageContaining("out of bounds")
                .hasMessageContaining("0 bytes behind the end of an allocation of " + 4 * count + " bytes");
    }

    @Test
    void theMessageNamesBlockAndThread() {
        MemorySegment y = kernels.memory(64);
        kernels.arguments.start().pointer(y).longInteger(3);
        assertFault("write_at", 2, 32).hasMessageContaining("block (1, 0, 0), thread (29, 0, 0)");
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, -1000, -30_000, 64, 65, 1000, 30_000})
    void aReadOutOfBoundsIsSeen(long offset) {
        // What lies in front within the first page is readable; a write there is seen afterwards, a read is not.
        boolean readable = offset < 0 && offset > -900;
        MemorySegment x = kernels.memory(64);
        kernels.arguments.start().pointer(x).pointer(kernels.memory(1)).longInteger(offset);
        if (readable) kernels.run("read_at", 1, 1, 0);
        else assertFault("read_at", 1, 1).hasMessageContaining("out of bounds: touched 0x")
                .hasMessageContaining("of an allocation of 256 bytes");
    }

    @Test
    void aWriteInFrontOfTheBeginningIsSeen() {
        MemorySegment y = kernels.memory(64);
        kernels.arguments.start().pointer(y).longInteger(-2);
        assertFault("write_at", 1, 1).hasMessageContaining("wrote 8 bytes in front of an allocation of 256 bytes");
    }

    @Test
    void memoryThatWasGivenBackCannotBeUsed() {
        MemorySegment y = kernels.memory(64);
        kernels.release(y);
        kernels.arguments.start().pointer(y).longInteger(0);
        assertFault("write_at", 1, 1).hasMessageContaining("byte 0 of an allocation of 256 bytes that has been freed");
    }

    @Test
    void aNullPointerIsSeen() {
        kernels.arguments.start().pointer(MemorySegment.NULL).longInteger(0);
        assertFault("write_at", 1, 1).hasMessageContaining("a null pointer");
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 1000})
    void sharedMemoryHasAnEnd(int offset) {
        kernels.arguments.start().pointer(kernels.memory(1)).integer(15);
        kernels.run("write_shared_at", 1, 1, 64);
        kernels.arguments.start().pointer(kernels.memory(1)).integer(offset);
        assertFault("write_shared_at", 1, 1).hasMessageContaining("behind the end of an allocation of 64 bytes");
    }

    @Test
    void aWideAccessToAnOddAddressIsSeen() {
        kernels.arguments.start().pointer(kernels.memory(64)).pointer(kernels.memory(1)).integer(4);
        kernels.run("wide_load_at", 1, 1, 0);
        kernels.arguments.start().pointer(kernels.memory(64)).pointer(kernels.memory(1)).integer(1);
        assertFault("wide_load_at", 1, 1).hasMessageContaining("16-byte access at 0x");
    }

    @Test
    void aDivisionByZeroIsSeen() {
        kernels.arguments.start().pointer(kernels.memory(1)).integer(2);
        kernels.run("divide_by", 1, 1, 0);
        kernels.arguments.start().pointer(kernels.memory(1)).integer(0);
        assertFault("divide_by", 1, 1).hasMessageContaining("thread (0, 0, 0): divides by zero");
    }

    /// Several times, because the threads of the processor that were torn out of their work must be good for another
    /// launch; with two of them, both at once.
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void afterAFaultTheNextLaunchIsAsGoodAsEver(int threads) {
        kernels.close();
        kernels = new TestKernels(List.of("faulty.cu"), Order.SHUFFLED, threads);
        for (int launch = 0; launch < 20; launch++) {
            kernels.arguments.start().pointer(MemorySegment.NULL).longInteger(0);
            assertFault("write_at", 4, 64);
            float[] y = result("two_rounds", ramp(THREADS), THREADS, THREADS);
            assertThat(y).hasSize(THREADS).doesNotContain(Float.NaN);
        }
    }

    /// Compiled Java code has no check for null: it lets the access fault, as a stack that is full does, and the
    /// virtual machine's own handler makes an exception of it.
    @Test
    void faultsOfJavaItselfStillGoToItsVirtualMachine() {
        kernels.arguments.start().pointer(MemorySegment.NULL).longInteger(0);
        assertFault("write_at", 1, 1);
        int[] numbers = {1};
        long sum = 0;
        for (int i = 0; i < 200_000; i++) sum += first(numbers);
        assertThat(sum).isEqualTo(200_000);
        assertThatThrownBy(() -> first(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> descend(0)).isInstanceOf(StackOverflowError.class);
    }

    private static int first(int[] numbers) {
        return numbers[0];
    }

    private static int descend(int depth) {
        return depth < 0 ? 0 : 1 + descend(depth + 1);
    }

    @Test
    void aThreadThatLeavesWhileOthersWaitAtABarrierIsAnError() {
        kernels.arguments.start().pointer(kernels.memory(64)).integer(40);
        assertFault("barrier_for_the_first", 2, 64)
                .hasMessageContaining("block (0, 0, 0), thread (40, 0, 0): leaves the kernel")
                .hasMessageContaining("while 40 of 64 threads wait for it")
                .hasMessageContaining("waiting: thread (0, 0, 0) and 39 others at __syncthreads of")
                .hasMessageContaining("faulty.cu:");
        kernels.arguments.start().pointer(kernels.memory(64)).integer(64);
        kernels.run("barrier_for_the_first", 1, 64, 0);
    }

    @Test
    void aBarrierThatOthersHavePassedByIsAnError() {
        kernels.close();
        kernels = new TestKernels("faulty.cu", Order.DESCENDING);
        kernels.arguments.start().pointer(kernels.memory(64)).integer(40);
        assertFault("barrier_for_the_first", 1, 64).hasMessageContaining("thread (39, 0, 0): reaches __syncthreads of")
                .hasMessageContaining("but 24 of 64 threads have left the kernel");
    }

    @Test
    void meetingAtDifferentBarriersIsAnError() {
        kernels.arguments.start().pointer(kernels.memory(64));
        assertFault("two_different_barriers", 1, 64).hasMessageContaining("thread (1, 0, 0): reaches __syncthreads of")
                .hasMessageContaining("while 1 threads wait at that of");
    }

    @Test
    void lanesThatAreMissingFromAnExchangeAreAnError() {
        kernels.arguments.start().pointer(kernels.memory(64)).integer(48);
        assertFault("shuffle_for_the_first", 1, 64).hasMessageContaining("thread (48, 0, 0)")
                .hasMessageContaining("leaves the kernel while other lanes of its warp wait for it")
                .hasMessageContaining("at a shuffle");
        kernels.arguments.start().pointer(kernels.memory(64)).integer(32);
        kernels.run("shuffle_for_the_first", 1, 64, 0);
    }

    @Test
    void lanesAtDifferentOperationsAreAnError() {
        kernels.arguments.start().pointer(kernels.memory(32));
        assertFault("shuffle_against_ballot", 1, 32)
                .hasMessageContaining("is at a vote while other lanes of its warp are at a shuffle");
    }

    @Test
    void threadsThatWaitForEachOtherAreAnError() {
        kernels.arguments.start().pointer(kernels.memory(32));
        assertFault("barrier_against_shuffle", 1, 32).hasMessageContaining("nobody can go on; waiting:")
                .hasMessageContaining("thread (0, 0, 0) and 15 others at a shuffle")
                .hasMessageContaining("thread (16, 0, 0) and 15 others at __syncthreads");
    }

    @Test
    void aFullStackIsSeen() {
        kernels.arguments.start().pointer(kernels.memory(1));
        assertFault("much_stack", 1, 1).hasMessageContaining("its stack of 65536 bytes is full");
    }

    @Test
    void argumentsOfAnotherKindAreRefused() {
        kernels.arguments.start().pointer(kernels.memory(64)).integer(0);
        assertFault("write_at", 1, 1).hasMessageContaining("takes (pl) and got (pi)");
    }

    @Test
    void launchesThatNoCardWouldTakeAreRefused() {
        kernels.arguments.start().pointer(kernels.memory(64)).longInteger(0);
        assertFault("write_at", 1, 1025).hasMessageContaining("a block of 1025 threads");
        kernels.arguments.start().pointer(kernels.memory(65));
        kernels.run("for_few_threads", 1, 64, 0);
        assertFault("for_few_threads", 1, 65).hasMessageContaining("a block of 65 threads, made for 64 at most");
        kernels.arguments.start().pointer(kernels.memory(64)).longInteger(0);
        assertFault("write_at", 0, 1).hasMessageContaining("a grid without blocks");
        assertThatThrownBy(() -> kernels.run("write_nowhere", 1, 1, 0)).hasMessageContaining("no kernel write_nowhere");
    }

    /// faulty.cu has less than 1024 bytes of static shared memory, same_name.cu has none, and a card has 99 * 1024.
    @Test
    void staticAndDynamicSharedMemoryMustFitTogether() {
        kernels.arguments.start().pointer(kernels.memory(64)).longInteger(0);
        kernels.run("write_at", 1, 1, 98 * 1024);
        assertThatThrownBy(() -> kernels.run("write_at", 1, 1, 98 * 1024 + 1)).isInstanceOf(SimulatedFault.class)
                .hasMessageContaining("write_at: 100353 bytes of shared memory, and up to 1024 that are static");
        kernels.close();
        kernels = new TestKernels("same_name.cu", Order.ASCENDING);
        kernels.arguments.start().pointer(kernels.memory(2));
        kernels.run("number_of_one_file", 1, 1, 99 * 1024);
        assertThatThrownBy(() -> kernels.run("number_of_one_file", 1, 1, 99 * 1024 + 1))
                .hasMessageContaining("101377 bytes of shared memory");
    }
}
