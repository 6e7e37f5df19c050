// A function and a struct that same_name.cu has by the same name, with another content. For SimulatorTest only.

#include "device.cuh"

struct Number {
    __attribute__((noinline)) float value() const {
        return 2.0f;
    }
};

__attribute__((noinline)) DEVICE float number_of_this_file() {
    return 2.0f;
}

KERNEL(number_of_the_other_file, float* y) {
    y[0] = number_of_this_file();
    y[1] = Number().value();
}
