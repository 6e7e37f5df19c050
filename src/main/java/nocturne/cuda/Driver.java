package nocturne.cuda;

import java.lang.foreign.MemorySegment;

/// The functions of the CUDA driver that we use, in plain numbers: a handle or an address is a `long`.
///
/// Each answers with the driver's code, 0 for success; what a function makes or finds it writes into the first elements
/// of an array. The names in parentheses are those of the driver API. Used by one thread at a time.
interface Driver {
    /// Of an event: nobody wants to know its time, and who waits for it shall sleep.
    int EVENT_DISABLE_TIMING = 2;
    int EVENT_BLOCKING_SYNC = 1;
    /// Of a stream: does not wait for the one without a number, which nobody uses.
    int STREAM_NON_BLOCKING = 1;
    /// Of a function: how much dynamic shared memory it may be launched with.
    int MAX_DYNAMIC_SHARED_BYTES = 8;

    /// Begins (`cuInit`).
    int init();

    /// The handle of a card (`cuDeviceGet`).
    int device(int[] device, int index);

    /// Opens a card's context, or joins those who have (`cuDevicePrimaryCtxRetain`).
    int retainContext(long[] context, int device);

    /// (`cuDevicePrimaryCtxRelease`)
    int releaseContext(int device);

    /// Makes a context the calling thread's (`cuCtxSetCurrent`).
    int setCurrentContext(long context);

    /// Waits for all work on all streams of the thread's context (`cuCtxSynchronize`).
    int synchronise();

    /// Free bytes and all bytes of the card (`cuMemGetInfo`).
    int memory(long[] freeAndTotal);

    /// Memory of the card (`cuMemAlloc`).
    int allocate(long[] address, long bytes);

    /// (`cuMemFree`)
    int free(long address);

    /// Memory of the host that does not move, so that the card can reach it (`cuMemHostAlloc`).
    int allocateHost(long[] address, long bytes);

    /// (`cuMemFreeHost`)
    int freeHost(long address);

    /// (`cuStreamCreate`)
    int createStream(long[] stream, int flags);

    /// (`cuStreamDestroy`)
    int destroyStream(long stream);

    /// Lets all later work of a stream begin after an event (`cuStreamWaitEvent`).
    int streamWaits(long stream, long event);

    /// (`cuEventCreate`)
    int createEvent(long[] event, int flags);

    /// (`cuEventDestroy`)
    int destroyEvent(long event);

    /// Lets an event happen when all earlier work of a stream is done (`cuEventRecord`).
    int record(long event, long stream);

    /// Waits until an event has happened (`cuEventSynchronize`).
    int waitFor(long event);

    /// From the host to the card (`cuMemcpyHtoDAsync`).
    int copyIn(long device, long host, long bytes, long stream);

    /// From the card to the host (`cuMemcpyDtoHAsync`).
    int copyOut(long host, long device, long bytes, long stream);

    /// Within the card (`cuMemcpyDtoDAsync`).
    int copy(long to, long from, long bytes, long stream);

    /// Brings kernels to the card (`cuModuleLoadData`).
    ///
    /// @param image in native memory
    int loadModule(long[] module, MemorySegment image);

    /// (`cuModuleUnload`)
    int unloadModule(long module);

    /// A kernel by its name (`cuModuleGetFunction`).
    int function(long[] function, long module, String name);

    /// (`cuFuncSetAttribute`)
    int setAttribute(long function, int attribute, int value);

    /// Runs a kernel (`cuLaunchKernel`).
    ///
    /// @param arguments address of an array of addresses, each of one argument
    int launch(long function, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ, int sharedBytes,
            long stream, long arguments);
}
