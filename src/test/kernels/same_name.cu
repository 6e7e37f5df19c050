// A function and a struct that same_name_again.cu has by the same name, with another content. For SimulatorTest only.

#include "device.cuh"

struct Number {
    __attribute__((noinline)) float value() const {
        return 1.0f;
    }
};

__attribute__((noinline)) DEVICE float number_of_this_file() {
    return 1.0f;
}

KERNEL(number_of_one_file, float* y) {
    y[0] = number_of_this_file();
    y[1] = Number().value();
}
