// A stand-in for libcublasLt.so.13, for tests: the functions that nocturne.cuda.CublasLt calls, on host memory, by the
// plainest loops, as NVIDIA's documentation says what they mean ("Using the cuBLASLt API", CUDA 13.0):
//
//     D = alpha scaleA scaleB op(A) op(B) + beta C + bias        all matrices by columns
//
// It knows no more than that, and answers with CUBLAS_STATUS_INVALID_VALUE to whatever is not written there: an
// attribute that it does not know or of another size, matrices that do not fit, memory that is not aligned as was said,
// a workspace too small, another algorithm than the one that was chosen for these matrices. What is left over at the
// end is an error too.
//
// STANDIN_FAULT in the environment: "start" refuses to start, "wrong" forgets beta, "codes" refuses codes when they are
// to be multiplied, "kernel" fails at every product.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace {

enum Status { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, EXECUTION_FAILED = 13, INTERNAL_ERROR = 14,
    NOT_SUPPORTED = 15 };
enum Type { FLOAT32 = 0, BFLOAT16 = 14, FLOAT8_E4M3 = 28 };

// The only stream that there is, unless STANDIN_STREAM in the environment names another one.
const uintptr_t STREAM = 7;
const size_t WORKSPACE_NEEDED = 4096;
const int COMPUTE_TYPE_REDUCTION = 2;

struct Handle { int magic = 4711; };

struct Product {
    int32_t transposeA = 0;
    int32_t transposeB = 0;
    int32_t epilogue = 1;
    int32_t biasType = -1;
    int32_t scaleModeA = 0;
    int32_t scaleModeB = 0;
    int8_t fastSums = 0;
    const void* bias = nullptr;
    const float* scaleA = nullptr;
    const float* scaleB = nullptr;
};

struct Layout {
    int type;
    uint64_t rows;
    uint64_t columns;
    int64_t leading;
};

struct Preference {
    uint64_t workspaceBytes = 0;
    uint32_t reductions = 7;
    uint32_t alignments[4] = {256, 256, 256, 256};
};

struct Algorithm { uint64_t data[8]; };

struct Result {
    Algorithm algorithm;
    size_t workspaceBytes;
    int state;
    float waves;
    int reserved[4];
};

int living = 0;

bool hasFault(const char* which) {
    const char* fault = getenv("STANDIN_FAULT");
    return fault != nullptr && strcmp(fault, which) == 0;
}

uintptr_t wantedStream() {
    const char* stream = getenv("STANDIN_STREAM");
    return stream == nullptr ? STREAM : atol(stream);
}

float fromBf16(uint16_t bits) {
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float number;
    memcpy(&number, &wide, 4);
    return number;
}

uint16_t toBf16(float number) {
    uint32_t bits;
    memcpy(&bits, &number, 4);
    if (number != number) return 0x7FFF;
    return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

float fromE4m3(uint8_t bits) {
    const int exponent = bits >> 3 & 15;
    const int mantissa = bits & 7;
    if (exponent == 15 && mantissa == 7) return NAN;
    const float size = exponent == 0 ? ldexpf(mantissa, -9) : ldexpf(8 + mantissa, exponent - 10);
    return bits & 0x80 ? -size : size;
}

float read(const void* memory, int type, size_t at) {
    if (type == FLOAT32) return static_cast<const float*>(memory)[at];
    if (type == BFLOAT16) return fromBf16(static_cast<const uint16_t*>(memory)[at]);
    return fromE4m3(static_cast<const uint8_t*>(memory)[at]);
}

void write(void* memory, int type, size_t at, float number) {
    if (type == FLOAT32) static_cast<float*>(memory)[at] = number;
    else static_cast<uint16_t*>(memory)[at] = toBf16(number);
}

uint64_t rowsOf(const Layout* matrix, int transposed) { return transposed ? matrix->columns : matrix->rows; }
uint64_t columnsOf(const Layout* matrix, int transposed) { return transposed ? matrix->rows : matrix->columns; }

bool fits(const Product* p, const Layout* a, const Layout* b, const Layout* c, const Layout* d) {
    return columnsOf(a, p->transposeA) == rowsOf(b, p->transposeB) && rowsOf(a, p->transposeA) == d->rows
        && columnsOf(b, p->transposeB) == d->columns && c->rows == d->rows && c->columns == d->columns
        && c->type == d->type;
}

// The table of types, and what is said below it of 8-bit floats.
int supports(const Product* p, const Layout* a, const Layout* b, const Layout* d) {
    if (a->type != b->type) return NOT_SUPPORTED;
    if (p->epilogue != 1 && p->epilogue != 4) return INVALID_VALUE;
    if (p->epilogue == 4 && (p->biasType != d->type || p->bias == nullptr)) return INVALID_VALUE;
    if (a->type == FLOAT8_E4M3) {
        const bool isAligned = a->rows % 16 == 0 && a->columns % 16 == 0 && b->rows % 16 == 0 && d->rows % 8 == 0;
        const bool takesResult = d->type == BFLOAT16 || (d->type == FLOAT32 && p->epilogue == 1);
        if (!p->transposeA || p->transposeB || !takesResult || !isAligned) return NOT_SUPPORTED;
        if (p->scaleModeA != 3 || p->scaleModeB != 3) return NOT_SUPPORTED;
        return p->scaleA == nullptr || p->scaleB == nullptr ? INVALID_VALUE : SUCCESS;
    }
    if (p->scaleModeA != 0 || p->scaleModeB != 0 || p->fastSums) return INVALID_VALUE;
    if (p->scaleA != nullptr || p->scaleB != nullptr) return INVALID_VALUE;
    return a->type == BFLOAT16 && (d->type == BFLOAT16 || d->type == FLOAT32) ? SUCCESS : NOT_SUPPORTED;
}

void hash(uint64_t& sum, uint64_t number) { sum = (sum ^ number) * 0x100000001B3ULL; }

uint64_t hashOf(const Product* p, const Layout* a, const Layout* b, const Layout* d) {
    uint64_t sum = 0xCBF29CE484222325ULL;
    for (int number : {p->transposeA, p->transposeB, p->epilogue, p->scaleModeA, int(p->fastSums)}) hash(sum, number);
    for (const Layout* layout : {a, b, d}) {
        hash(sum, layout->type);
        hash(sum, layout->rows);
        hash(sum, layout->columns);
        hash(sum, layout->leading);
    }
    return sum;
}

template<class T>
int set(T& target, const void* value, size_t bytes) {
    if (bytes != sizeof target) return INVALID_VALUE;
    memcpy(&target, value, bytes);
    return SUCCESS;
}

template<class T>
int made(T** target, T* object) {
    living++;
    *target = object;
    return SUCCESS;
}

template<class T>
int gone(T* object) {
    if (object == nullptr) return INVALID_VALUE;
    living--;
    delete object;
    return SUCCESS;
}

bool isAligned(const void* memory, uint64_t bytes) { return reinterpret_cast<uintptr_t>(memory) % bytes == 0; }

}  // namespace

extern "C" {

size_t cublasLtGetVersion() {
    const char* version = getenv("STANDIN_VERSION");
    return version == nullptr ? 130004 : atol(version);
}

int cublasLtCreate(Handle** handle) {
    if (hasFault("start")) return NOT_INITIALIZED;
    return made(handle, new Handle);
}

int cublasLtDestroy(Handle* handle) {
    gone(handle);
    return living == 0 ? SUCCESS : INTERNAL_ERROR;
}

int cublasLtMatmulDescCreate(Product** product, int computeType, int scaleType) {
    return computeType == 68 && scaleType == FLOAT32 ? made(product, new Product) : INVALID_VALUE;
}

int cublasLtMatmulDescDestroy(Product* product) { return gone(product); }

int cublasLtMatmulDescSetAttribute(Product* product, int attribute, const void* value, size_t bytes) {
    switch (attribute) {
        case 3: return set(product->transposeA, value, bytes);
        case 4: return set(product->transposeB, value, bytes);
        case 7: return set(product->epilogue, value, bytes);
        case 8: return set(product->bias, value, bytes);
        case 17: return set(product->scaleA, value, bytes);
        case 18: return set(product->scaleB, value, bytes);
        case 25: return set(product->fastSums, value, bytes);
        case 26: return set(product->biasType, value, bytes);
        case 31: return set(product->scaleModeA, value, bytes);
        case 32: return set(product->scaleModeB, value, bytes);
        default: return INVALID_VALUE;
    }
}

int cublasLtMatrixLayoutCreate(Layout** layout, int type, uint64_t rows, uint64_t columns, int64_t leading) {
    if (rows == 0 || columns == 0 || leading < static_cast<int64_t>(rows)) return INVALID_VALUE;
    return made(layout, new Layout{type, rows, columns, leading});
}

int cublasLtMatrixLayoutDestroy(Layout* layout) { return gone(layout); }

int cublasLtMatmulPreferenceCreate(Preference** preference) { return made(preference, new Preference); }

int cublasLtMatmulPreferenceDestroy(Preference* preference) { return gone(preference); }

int cublasLtMatmulPreferenceSetAttribute(Preference* preference, int attribute, const void* value, size_t bytes) {
    switch (attribute) {
        case 1: return set(preference->workspaceBytes, value, bytes);
        case 3: return set(preference->reductions, value, bytes);
        case 5: case 6: case 7: case 8: return set(preference->alignments[attribute - 5], value, bytes);
        default: return INVALID_VALUE;
    }
}

// Takes the worst that is allowed: with reductions in place, sums that come out another way each time.
int cublasLtMatmulAlgoGetHeuristic(Handle* handle, const Product* product, const Layout* a, const Layout* b,
        const Layout* c, const Layout* d, const Preference* preference, int wanted, Result* results, int* found) {
    if (handle->magic != 4711 || wanted < 1 || !fits(product, a, b, c, d)) return INVALID_VALUE;
    *found = 0;
    const int status = supports(product, a, b, d);
    if (status != SUCCESS) return status;
    if (preference->workspaceBytes < WORKSPACE_NEEDED) return NOT_SUPPORTED;
    Result& result = results[0];
    memset(&result, 0, sizeof result);
    result.algorithm.data[0] = hashOf(product, a, b, d);
    for (int i = 0; i < 4; i++) result.algorithm.data[1 + i] = preference->alignments[i];
    result.algorithm.data[5] = preference->reductions & ~COMPUTE_TYPE_REDUCTION;
    result.workspaceBytes = WORKSPACE_NEEDED;
    result.state = SUCCESS;
    *found = 1;
    return SUCCESS;
}

int cublasLtMatmulAlgoConfigGetAttribute(const Algorithm*, int attribute, void* value, size_t bytes, size_t* written) {
    if (attribute != 0 && attribute != 3) return INVALID_VALUE;
    const int32_t number = attribute == 0 ? 66 : COMPUTE_TYPE_REDUCTION;
    if (bytes != sizeof number) return INVALID_VALUE;
    memcpy(value, &number, bytes);
    *written = bytes;
    return SUCCESS;
}

int cublasLtMatmul(Handle* handle, const Product* product, const float* alpha, const void* aMemory, const Layout* a,
        const void* bMemory, const Layout* b, const float* beta, const void* cMemory, const Layout* c, void* dMemory,
        const Layout* d, const Algorithm* algorithm, void* workspace, size_t workspaceBytes, uintptr_t stream) {
    if (handle->magic != 4711 || stream != wantedStream() || !fits(product, a, b, c, d)) return INVALID_VALUE;
    const int status = supports(product, a, b, d);
    if (status != SUCCESS) return status;
    if (algorithm->data[0] != hashOf(product, a, b, d)) return INVALID_VALUE;
    if (!isAligned(aMemory, algorithm->data[1]) || !isAligned(bMemory, algorithm->data[2])) return INVALID_VALUE;
    if (!isAligned(cMemory, algorithm->data[3]) || !isAligned(dMemory, algorithm->data[4])) return INVALID_VALUE;
    if (workspaceBytes < WORKSPACE_NEEDED || !isAligned(workspace, 16)) return INVALID_VALUE;
    if (cMemory == dMemory && c != d) return INVALID_VALUE;
    if (hasFault("kernel")) return EXECUTION_FAILED;
    const bool isOfCodes = a->type == FLOAT8_E4M3;
    if (isOfCodes && hasFault("codes")) return INVALID_VALUE;
    memset(workspace, 0xFF, WORKSPACE_NEEDED);
    const uint64_t depth = columnsOf(a, product->transposeA);
    static int calls = 0;
    calls++;
    for (uint64_t column = 0; column < d->columns; column++) {
        for (uint64_t row = 0; row < d->rows; row++) {
            float sum = algorithm->data[5] ? 0.01f * calls : 0;
            for (uint64_t k = 0; k < depth; k++) {
                const uint64_t left = product->transposeA ? row * a->leading + k : k * a->leading + row;
                const uint64_t right = product->transposeB ? k * b->leading + column : column * b->leading + k;
                sum += read(aMemory, a->type, left) * read(bMemory, b->type, right);
            }
            float number = *alpha * sum;
            if (isOfCodes) number *= product->scaleA[row] * product->scaleB[column];
            if (*beta != 0 && !hasFault("wrong")) number += *beta * read(cMemory, c->type, column * c->leading + row);
            if (product->epilogue == 4) number += read(product->bias, product->biasType, row);
            write(dMemory, d->type, column * d->leading + row, number);
        }
    }
    return SUCCESS;
}

}  // extern "C"
