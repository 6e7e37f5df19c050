#!/usr/bin/env bash
# Everything that is to be known from a machine with an NVIDIA card, in a quarter of an hour at most; needs no Java, Maven or network:
#
#     bench/pack.sh                    where Nocturne is built; then copy the tree with target/gpu here
#     OUT=results bench/gpu.sh         on the machine with the card
#
# Each part has a time limit of its own, and what fails does not keep the others from running. Every part writes
# $OUT/<part>.txt, all results in JSON are in $OUT/results.jsonl, and $OUT/summary.txt says how each part went.
#
#   OUT               where results go; default: target/gpu/out
#   NOCTURNE_DEVICE   default: cuda:0
#   NOCTURNE_PARTS    which parts, of those below; default: all
#   NOCTURNE_BUNDLE   default: target/gpu/bundle.tar.xz
set -u

home=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$home" || exit 70
out=${OUT:-$home/target/gpu/out}
device=${NOCTURNE_DEVICE:-cuda:0}
bundle=${NOCTURNE_BUNDLE:-$home/target/gpu/bundle.tar.xz}
every="machine probe operations own step-bf16 step-bf16-own step-int8 step-8bit step-24gb step-fp8 step-fp8-own twins"
every+=" twins-library train-cpu train-card compare peer keep"
parts=${NOCTURNE_PARTS:-$every}
mkdir -p "$out" || exit 70
out=$(cd "$out" && pwd)
: >"$out/results.jsonl"
: >"$out/summary.txt"

place=$(mktemp -d) || exit 70
# A subshell that is killed in its first moment runs this too, and must not.
trap '[ "$BASHPID" != "$$" ] || rm -rf "$place"' EXIT
unpack() {
    type -P xz >/dev/null && tar -C "$place" -xJf "$bundle" && return
    python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$bundle" "$place"
}
unpack || {
    echo "no bundle $bundle: run bench/pack.sh first" | tee "$out/summary.txt"
    exit 70
}

export LC_ALL=C.UTF-8
java=("$place/runtime/bin/java" --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC
    "-Dnocturne.home=$home" "-Dorg.bytedeco.javacpp.cachedir=$place/cache")
nocturne() { "${java[@]}" -jar "$place/nocturne.jar" "$@"; }

# part NAME SECONDS COMMAND...: the command is a function of this script; it runs in a process group of its own.
part() {
    local name=$1 seconds=$2 code verdict start=$SECONDS
    shift 2
    case " $parts " in *" $name "*) ;; *) return 0 ;; esac
    echo "== $name"
    set -m
    ("$@") >"$out/$name.txt" 2>&1 </dev/null &
    local running=$!
    (sleep "$seconds"; kill -TERM -- "-$running"; sleep 5; kill -KILL -- "-$running") >/dev/null 2>&1 &
    local watch=$!
    set +m
    wait "$running" 2>/dev/null
    code=$?
    kill -TERM -- "-$watch" 2>/dev/null
    wait "$watch" 2>/dev/null
    if [ "$code" -eq 0 ]; then verdict="done"
    elif [ $((SECONDS - start)) -ge "$seconds" ]; then verdict="ran past its $seconds s"
    elif grep -qE "DEVICE_ABSENT|no card" "$out/$name.txt"; then verdict="no card"
    elif grep -q "^no Python" "$out/$name.txt"; then verdict="no PyTorch"
    else verdict="failed with $code"
    fi
    tail -n 12 "$out/$name.txt"
    grep -h '^{' "$out/$name.txt" | sed "s/^{/{\"part\":\"$name\",/" >>"$out/results.jsonl"
    printf '%-12s %4d s  %s\n' "$name" "$((SECONDS - start))" "$verdict" | tee -a "$out/summary.txt"
}

machine() {
    uname -a
    grep -m 1 'model name' /proc/cpuinfo
    nproc
    free -g
    "$place/runtime/bin/java" -version
    nvidia-smi || echo "no nvidia-smi"
    nvidia-smi --query-gpu=name,driver_version,memory.total,pcie.link.gen.current,clocks.max.sm,power.limit --format=csv
    ls -d /usr/local/cuda* 2>/dev/null
    ldconfig -p | grep -E 'libcuda\.|libcudart|libcublas|libcudnn|libnvrtc'
    # The versions are in the names of the files that these links lead to.
    nocturne devices --json | grep -o '"file":"[^"]*"' | cut -d '"' -f 4 | while read -r library; do
        readlink -f "$library"
    done
    for python in $(type -aP python3 python | sort -u); do
        "$python" -c 'import sys; print(sys.executable, sys.version)'
        "$python" -m pip list 2>/dev/null | grep -iE '^(torch|diffusers|peft|transformers|triton|nvidia|flash)'
    done
    true
}

# One tiny step: whether the card, the driver and the kernels get on at all.
probe() {
    nocturne devices || true
    nocturne --debug bench --size tiny --steps 20 --warmup 20 --operations --json --device "$device"
}

operations() {
    nocturne --debug bench --size full --layers 1 --steps 20 --operations --json --device "$device" || return
    for format in "int8" "int8 --eight-bit" "float8 --eight-bit"; do
        # Wanted unquoted: a format and an option.
        nocturne --debug bench --size full --layers 1 --steps 20 --operations --json --device "$device" --format $format
    done
}

# The same products by our own kernels alone; the lines of the part before tell of NVIDIA's, where its library is found.
own() {
    nocturne --debug bench --size full --layers 1 --steps 20 --operations --json --device "$device" --gemm own || return
    nocturne --debug bench --size full --layers 1 --steps 20 --operations --json --device "$device" --gemm own \
        --format float8 --eight-bit
}

step() { nocturne --debug bench --size full --warmup 2 --json --device "$device" "$@"; }

keep() {
    step --format int8 --steps 3 --keep products
    step --format int8 --steps 3 --keep inputs
}

# The kernels against the processor's, the whole transformer and whole trainings against the reference's numbers, on
# the card alone.
tests() {
    "${java[@]}" -Dnocturne.card="$device" -Dnocturne.simulator=none -Dgolden.dir="$home/src/test/resources" \
        "-Dnocturne.gemm=$1" -cp "$place/nocturne-tests.jar:$place/nocturne.jar:$place/lib/*:$place/test-lib/*" nocturne.cuda.OnCard \
        "${@:2}"
}

twins() {
    tests own nocturne.cuda.CardTest nocturne.cuda.CudaDeviceTest nocturne.cuda.ElementwiseTwinTest \
        nocturne.cuda.NormsTwinTest nocturne.cuda.ProductsTwinTest nocturne.cuda.AttentionTwinTest \
        nocturne.cuda.OptimisationTwinTest nocturne.cuda.AdamW8TwinTest nocturne.cuda.ConvolutionTwinTest \
        nocturne.cuda.NoiseTwinTest nocturne.cuda.CodeProductsTest nocturne.cuda.EightBitProductsTest \
        nocturne.cuda.CodedWeightTest \
        nocturne.cuda.CudaAdamW8GoldenTest nocturne.train.CudaTrainingGoldenTest \
        nocturne.qwen.CudaTransformerGoldenTest
}

# The same with products by cuBLASLt, which has to be there.
twins_library() {
    tests cublas nocturne.cuda.CardTest nocturne.cuda.ProductsTwinTest nocturne.qwen.CudaTransformerGoldenTest
}

# Sixty steps on the example's pictures, with held-out losses.
recipe() {
    rm -rf "$place/example"
    cp -r examples/ohwx "$place/example"
    sed -i -e 's/steps: 600/steps: 60/' -e 's/validate_every_n_steps: 50/validate_every_n_steps: 20/' \
        -e 's/sample_every: 200/sample_every: 1000/' "$place/example/recipe.yaml"
}

train() {
    recipe
    nocturne --debug train "$place/example" --model models/qwen-image-tiny --out "$place/$1" --device "$2" || return
    mkdir -p "$out/$1"
    cp "$place/$1"/events.jsonl "$place/$1"/*.safetensors "$out/$1/"
    held_out "$1"
}

held_out() { grep -h 'job\.measured' "$out/$1/events.jsonl"; }

# The held-out losses of both runs beside each other; a per cent apart is what bf16 may do.
compare() {
    [ -f "$out/train-cpu/events.jsonl" ] || { echo "no training on the processor to compare with"; return 1; }
    [ -f "$out/train-card/events.jsonl" ] || { echo "no card: nothing to compare with"; return 1; }
    paste <(losses train-cpu) <(losses train-card) | awk '
        { off = ($2 - $4) / $2; if (off < 0) off = -off; if (off > most) most = off; print }
        END { printf "held-out losses differ by at most %.2f %%\n", 100 * most; exit !(NR > 0 && most < 0.02) }'
}

losses() { held_out "$1" | sed -n 's/.*"step":\([0-9]*\).*"loss":\([0-9.eE-]*\).*/\1 \2/p'; }

# What PyTorch users run, on the same card: the first Python that has all of it.
peer() {
    local python
    for python in ${NOCTURNE_PYTHON:-} $(type -aP python3 python | sort -u); do
        "$python" -c 'import torch, diffusers, peft' 2>/dev/null || continue
        "$python" bench/peer_step.py --device cuda --dtype bf16 --grid 64x64 --text 200 --checkpointing --steps 5 \
            --warmup 2
        "$python" bench/peer_step.py --device cuda --dtype bf16 --grid 64x64 --text 200 --checkpointing --steps 5 \
            --warmup 2 --frozen float8
        return
    done
    echo "no Python with torch, diffusers and peft"
    return 1
}

part machine 20 machine
part probe 40 probe
part operations 50 operations
part own 40 own
part step-bf16 60 step --steps 8
part step-bf16-own 50 step --steps 4 --gemm own
part step-int8 60 step --steps 8 --format int8
part step-8bit 60 step --steps 8 --format int8 --eight-bit
part step-24gb 45 step --steps 8 --format int8 --eight-bit --vram 24GB
part step-fp8 50 step --steps 4 --format float8 --eight-bit
part step-fp8-own 50 step --steps 4 --format float8 --eight-bit --gemm own
part twins 90 twins
part twins-library 60 twins_library
part train-cpu 40 train train-cpu cpu
part train-card 40 train train-card "$device"
part compare 5 compare
part peer 90 peer
part keep 25 keep

echo
cat "$out/summary.txt"
