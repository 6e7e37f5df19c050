package nocturne.tensor;

import java.util.List;
import java.util.Map;

/// Products of frozen weights in 8 bits: faster than in the activations' type, and less exact.
///
/// How much less depends on the activations: one that is a hundred times its neighbours leaves them few codes. So no
/// weight is multiplied in 8 bits before that was tried on what the model really computes.
public interface EightBitProducts {
    /// What trying a layer has shown.
    ///
    /// @param layer    its name
    /// @param forward  how far `x W^T` in 8 bits is off, the largest relative L2 error of all calls; -1 without a call
    /// @param backward the same of `dy W`
    /// @param chosen   whether it is computed in 8 bits from now on
    record Trial(String layer, double forward, double backward, boolean chosen) {
        public double worst() {
            return Math.max(forward, backward);
        }
    }

    /// Computes some layers' products in both ways, and from then on in 8 bits where that was close enough. What was
    /// chosen for these layers before is forgotten.
    ///
    /// The pass itself goes on with the exact results, so that each layer is tried on the activations that it would
    /// otherwise have.
    ///
    /// @param layers frozen weights by their layers' names; those that the device cannot multiply in 8 bits are ignored
    /// @param bound  the largest error that is close enough
    /// @param pass   uses each of the weights forward and backward
    /// @return one for each layer that was tried, in their order
    List<Trial> choose(Map<String, Weight> layers, double bound, Runnable pass);
}
