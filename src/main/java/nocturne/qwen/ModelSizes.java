package nocturne.qwen;

import java.util.Collections;
import java.util.List;

/// How large the parts of a pipeline are: what decides the memory and the time that it takes, without its weights.
public interface ModelSizes {
    TransformerConfig transformerConfig();

    VaeConfig vaeConfig();

    TextEncoderConfig textEncoderConfig();

    VisionTowerConfig visionConfig();

    /// The released models, which differ in nothing that takes memory.
    ///
    /// Source: `config.json` of the parts of Qwen/Qwen-Image-Edit-2509; of the autoencoder's statistics, which are not
    /// needed to know its size, none.
    ModelSizes RELEASED = new ModelSizes() {
        private static final int CHANNELS = 16;

        @Override
        public TransformerConfig transformerConfig() {
            return new TransformerConfig(60, 24, 128, 3584, 64, List.of(16, 56, 56), false);
        }

        @Override
        public VaeConfig vaeConfig() {
            return new VaeConfig(96, CHANNELS, List.of(1, 2, 4, 4), 2, 3, Collections.nCopies(CHANNELS, 0f),
                    Collections.nCopies(CHANNELS, 1f));
        }

        @Override
        public TextEncoderConfig textEncoderConfig() {
            return new TextEncoderConfig(
                    152064, 3584, 28, 28, 4, 128, 18944, 1e-6f, 1e6, List.of(16, 24, 24), 151655);
        }

        @Override
        public VisionTowerConfig visionConfig() {
            return new VisionTowerConfig(1280, 32, 16, 3420, 14, 2, 2, 112, 3584, List.of(7, 15, 23, 31));
        }
    };
}
