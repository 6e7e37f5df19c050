package nocturne.tensor;

import java.util.List;
import java.util.function.Function;

/// Room on a device for some of the weights that the device cannot hold altogether. All of them lie in host memory;
/// those that are needed are brought, and those that come next are on their way while the device computes.
///
/// Lives as long as its [Backend].
public interface WeightStream {
    /// A new sequence. All sequences share the room.
    Sequence newSequence();

    /// Takes the room on the device: all parts of all sequences are loaded.
    void loaded();

    /// Device memory that the room takes, as far as the parts are loaded.
    long deviceBytes();

    /// Device memory that loading took beside the room, and that was given back.
    long loadingBytes();

    /// Host memory that the loaded parts take.
    long hostBytes();

    /// Parts of a model that are walked through in order, forward or backward: its blocks. Numbers may be left out for
    /// parts that stay on the device; telling of them too lets what comes next be brought sooner.
    interface Sequence {
        /// Makes a part's weights; afterwards they are on the device only where [#need] has asked for them.
        ///
        /// @param part    its place in the sequence
        /// @param loader  makes the weights in the arena it is given, which is forgotten when it returns
        /// @param weights all that was made in that arena
        /// @return what `loader` made
        <T> T load(int part, Function<TensorArena, T> loader, Function<T, List<Weight>> weights);

        /// Brings a part's weights, for all work from now on until another part is asked for.
        ///
        /// A weight that is used while its part is not there fails with an [IllegalStateException].
        void need(int part);
    }

    /// Of parts that stay where they are.
    Sequence RESIDENT = new Sequence() {
        @Override
        public <T> T load(int part, Function<TensorArena, T> loader, Function<T, List<Weight>> weights) {
            throw new IllegalStateException("nothing is streamed here");
        }

        @Override
        public void need(int part) {}
    };
}
