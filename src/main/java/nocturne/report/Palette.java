package nocturne.report;

/// The few colours of every drawing, told apart by people with any colour vision and on a grey print.
final class Palette {
    static final int PAPER = 0xffffff;
    static final int INK = 0x1f2430;
    static final int MUTED = 0x6b7280;
    static final int HAIRLINE = 0xe3e6eb;
    static final int EMPTY = 0xf3f4f6;
    static final int TRAINING = 0x2b6cb0;
    static final int HELD_OUT = 0xc05621;
    static final int LEARNING_RATE = 0x5b6b7b;
    static final int ALARM = 0xc53030;

    private Palette() {}
}
