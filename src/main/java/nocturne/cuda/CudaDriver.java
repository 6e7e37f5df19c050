package nocturne.cuda;

import static org.bytedeco.cuda.global.cudart.cuCtxSetCurrent;
import static org.bytedeco.cuda.global.cudart.cuCtxSynchronize;
import static org.bytedeco.cuda.global.cudart.cuDeviceGet;
import static org.bytedeco.cuda.global.cudart.cuDevicePrimaryCtxRelease;
import static org.bytedeco.cuda.global.cudart.cuDevicePrimaryCtxRetain;
import static org.bytedeco.cuda.global.cudart.cuEventCreate;
import static org.bytedeco.cuda.global.cudart.cuEventDestroy;
import static org.bytedeco.cuda.global.cudart.cuEventRecord;
import static org.bytedeco.cuda.global.cudart.cuEventSynchronize;
import static org.bytedeco.cuda.global.cudart.cuFuncSetAttribute;
import static org.bytedeco.cuda.global.cudart.cuInit;
import static org.bytedeco.cuda.global.cudart.cuLaunchKernel;
import static org.bytedeco.cuda.global.cudart.cuMemAlloc;
import static org.bytedeco.cuda.global.cudart.cuMemFree;
import static org.bytedeco.cuda.global.cudart.cuMemFreeHost;
import static org.bytedeco.cuda.global.cudart.cuMemGetInfo;
import static org.bytedeco.cuda.global.cudart.cuMemHostAlloc;
import static org.bytedeco.cuda.global.cudart.cuMemcpyDtoDAsync;
import static org.bytedeco.cuda.global.cudart.cuMemcpyDtoHAsync;
import static org.bytedeco.cuda.global.cudart.cuMemcpyHtoDAsync;
import static org.bytedeco.cuda.global.cudart.cuModuleGetFunction;
import static org.bytedeco.cuda.global.cudart.cuModuleLoadData;
import static org.bytedeco.cuda.global.cudart.cuModuleUnload;
import static org.bytedeco.cuda.global.cudart.cuStreamCreate;
import static org.bytedeco.cuda.global.cudart.cuStreamDestroy;
import static org.bytedeco.cuda.global.cudart.cuStreamWaitEvent;

import java.lang.foreign.MemorySegment;
import nocturne.problem.SickMachine;
import org.bytedeco.cuda.cudart.CUctx_st;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUmod_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;

/// The driver through JavaCPP's binding.
///
/// The only class that knows the binding, for two reasons. Where there is no driver, touching the binding fails, and
/// then fails for ever: so this class is touched only after [CudaProbe] has found a card. And the binding was made for
/// CUDA 13.1: a call of a function that the machine's driver has not would end the process without a word, so a test
/// compares the calls in here with those that CUDA 13.0 has.
///
/// Objects of the binding are made once and pointed at what a call is about: making one takes microseconds.
final class CudaDriver implements Driver {
    private static final int ONE_EVENT = 0;

    private final SizeTPointer free = new SizeTPointer(1);
    private final SizeTPointer total = new SizeTPointer(1);
    private final PointerPointer<Pointer> made = new PointerPointer<>(1);
    private final Context context = new Context();
    private final Stream stream = new Stream();
    private final Event event = new Event();
    private final Module module = new Module();
    private final Function function = new Function();
    private final Host host = new Host();
    private final Addresses addresses = new Addresses();

    private CudaDriver() {}

    /// Loads the binding and what it needs.
    ///
    /// @throws SickMachine `DEVICE_LIBRARIES` if something is missing
    static Driver load(CudaLibraries libraries) {
        libraries.load(CudaLibrary.RUNTIME);
        try {
            return new CudaDriver();
        } catch (LinkageError unusable) {
            throw new SickMachine("DEVICE_LIBRARIES", "loading the binding of the CUDA driver failed: %s."
                    .formatted(unusable.getMessage())
                    + " It is unpacked into ~/.javacpp (-Dorg.bytedeco.javacpp.cachedir=DIR names another folder),"
                    + " which must be writable and allow programs.", unusable);
        }
    }

    @Override
    public int init() {
        return cuInit(0);
    }

    @Override
    public int device(int[] device, int index) {
        return cuDeviceGet(device, index);
    }

    @Override
    public int retainContext(long[] context, int device) {
        int code = cuDevicePrimaryCtxRetain(this.context.at(0), device);
        context[0] = this.context.address();
        return code;
    }

    @Override
    public int releaseContext(int device) {
        return cuDevicePrimaryCtxRelease(device);
    }

    @Override
    public int setCurrentContext(long context) {
        return cuCtxSetCurrent(this.context.at(context));
    }

    @Override
    public int synchronise() {
        return cuCtxSynchronize();
    }

    @Override
    public int memory(long[] freeAndTotal) {
        int code = cuMemGetInfo(free, total);
        freeAndTotal[0] = free.get();
        freeAndTotal[1] = total.get();
        return code;
    }

    @Override
    public int allocate(long[] address, long bytes) {
        return cuMemAlloc(address, bytes);
    }

    @Override
    public int free(long address) {
        return cuMemFree(address);
    }

    @Override
    public int allocateHost(long[] address, long bytes) {
        int code = cuMemHostAlloc(made.put(0, (Pointer) null), bytes, 0);
        Pointer memory = made.get(0);
        address[0] = memory == null ? 0 : memory.address();
        return code;
    }

    @Override
    public int freeHost(long address) {
        return cuMemFreeHost(host.at(address));
    }

    @Override
    public int createStream(long[] stream, int flags) {
        int code = cuStreamCreate(this.stream.at(0), flags);
        stream[0] = this.stream.address();
        return code;
    }

    @Override
    public int destroyStream(long stream) {
        return cuStreamDestroy(this.stream.at(stream));
    }

    @Override
    public int streamWaits(long stream, long event) {
        return cuStreamWaitEvent(this.stream.at(stream), this.event.at(event), ONE_EVENT);
    }

    @Override
    public int createEvent(long[] event, int flags) {
        int code = cuEventCreate(this.event.at(0), flags);
        event[0] = this.event.address();
        return code;
    }

    @Override
    public int destroyEvent(long event) {
        return cuEventDestroy(this.event.at(event));
    }

    @Override
    public int record(long event, long stream) {
        return cuEventRecord(this.event.at(event), this.stream.at(stream));
    }

    @Override
    public int waitFor(long event) {
        return cuEventSynchronize(this.event.at(event));
    }

    @Override
    public int copyIn(long device, long host, long bytes, long stream) {
        return cuMemcpyHtoDAsync(device, this.host.at(host), bytes, this.stream.at(stream));
    }

    @Override
    public int copyOut(long host, long device, long bytes, long stream) {
        return cuMemcpyDtoHAsync(this.host.at(host), device, bytes, this.stream.at(stream));
    }

    @Override
    public int copy(long to, long from, long bytes, long stream) {
        return cuMemcpyDtoDAsync(to, from, bytes, this.stream.at(stream));
    }

    @Override
    public int loadModule(long[] module, MemorySegment image) {
        int code = cuModuleLoadData(this.module.at(0), host.at(image.address()));
        module[0] = this.module.address();
        return code;
    }

    @Override
    public int unloadModule(long module) {
        return cuModuleUnload(this.module.at(module));
    }

    @Override
    public int function(long[] function, long module, String name) {
        int code = cuModuleGetFunction(this.function.at(0), this.module.at(module), name);
        function[0] = this.function.address();
        return code;
    }

    @Override
    public int setAttribute(long function, int attribute, int value) {
        return cuFuncSetAttribute(this.function.at(function), attribute, value);
    }

    @Override
    public int launch(long function, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ,
            int sharedBytes, long stream, long arguments) {
        return cuLaunchKernel(this.function.at(function), gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes,
                this.stream.at(stream), addresses.at(arguments), null);
    }

    // The binding's pointers, made to point elsewhere: what is pointed at is never theirs.

    private static final class Context extends CUctx_st {
        Context at(long address) {
            this.address = address;
            return this;
        }
    }

    private static final class Stream extends CUstream_st {
        Stream at(long address) {
            this.address = address;
            return this;
        }
    }

    private static final class Event extends CUevent_st {
        Event at(long address) {
            this.address = address;
            return this;
        }
    }

    private static final class Module extends CUmod_st {
        Module at(long address) {
            this.address = address;
            return this;
        }
    }

    private static final class Function extends CUfunc_st {
        Function at(long address) {
            this.address = address;
            return this;
        }
    }

    private static final class Host extends Pointer {
        Host at(long address) {
            this.address = address;
            return this;
        }
    }

    /// A `void**`; where the binding takes a plain pointer in its place, it means another thing.
    private static final class Addresses extends PointerPointer<Pointer> {
        Addresses() {
            super((Pointer) null);
        }

        Addresses at(long address) {
            this.address = address;
            return this;
        }
    }
}
