#!/usr/bin/env bash
# Packs what a machine with an NVIDIA card, but without Java and network, needs beside this tree to run bench/gpu.sh:
#
#     bench/pack.sh            writes target/gpu/bundle.tar.xz
#
# In it: a small Java runtime, nocturne.jar with its kernels compiled, the libraries that training needs, and the test
# classes. The model, the example and the reference numbers are in the tree, which is to be copied along.
#
#   JAVA_HOME        a JDK 25 with its jmods
#   NOCTURNE_MAVEN   how to call Maven; default: mvn -q -B -Dquick
#   NOCTURNE_BUILT   1 if target/ holds a build with -Pcubins already
set -euo pipefail

home=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$home"
. src/main/shell/find-jdk.sh
jdk=$(find_jdk) || { say_no_jdk; exit 69; }
export JAVA_HOME=$jdk
folder=target/gpu
most_mib=64
modules=java.base,java.desktop,java.logging,java.management,java.naming,java.net.http,java.xml
# jdk.zipfs: the kernels' sources are read from the jar.
modules+=,jdk.unsupported,jdk.incubator.vector,jdk.zipfs

# Wanted unquoted: a command with options.
if [ "${NOCTURNE_BUILT:-}" != 1 ]; then
    ${NOCTURNE_MAVEN:-mvn -q -B -Dquick} -Pcubins -DskipTests package
fi
[ -f target/nocturne.jar ] || { echo "target/nocturne.jar is missing: build first" >&2; exit 70; }
[[ $(unzip -l target/nocturne.jar) == *nocturne/cubins/* ]] || echo "note: this jar brings no compiled kernels" >&2

rm -rf "$folder"
mkdir -p "$folder/bundle/lib" "$folder/bundle/test-lib"
bundle=$folder/bundle

"$jdk/bin/jlink" --strip-debug --no-header-files --no-man-pages --compress zip-0 --output "$bundle/runtime" \
    --add-modules "$modules"

cp target/nocturne.jar "$bundle/"
# What training needs, and nothing of the service.
for name in jackson- snakeyaml- picocli- javacpp- openblas- cuda-1 cuda-2 commons-compress- commons-io- commons-lang3- \
    commons-codec- common-image- common-io- common-lang- imageio- metadata-extractor- xmpcore- jspecify- slf4j-api-; do
    for jar in target/lib/"$name"*.jar; do
        [ ! -f "$jar" ] || cp "$jar" "$bundle/lib/"
    done
done
# Of the bindings' native libraries only those that are called.
for jar in "$bundle"/lib/openblas-*-linux-x86_64.jar; do
    zip -q -d "$jar" '*/include/*' '*/libjniopenblas_full.so' '*/libjniopenblas.so' '*.a' >/dev/null || true
done
for jar in "$bundle"/lib/cuda-*-linux-x86_64.jar; do
    zip -q -d "$jar" '*/include/*' '*/libjninpp*' '*/libjnicudnn*' '*/libjnicufft*' \
        '*/libjnicurand*' '*/libjnicus*' '*/libjninv*' '*/libjninccl*' >/dev/null || true
done

(cd target/test-classes && zip -q -r - . -x 'golden2/*' 'golden/*' 'nvidia-smi/*') >"$bundle/nocturne-tests.jar"
repository=${NOCTURNE_REPOSITORY:-$HOME/.m2/repository}
version() { sed -n "s:.*<$1.version>\(.*\)</$1.version>.*:\1:p" pom.xml | head -n 1; }
junit=$(version junit)
cp "$repository"/org/junit/jupiter/junit-jupiter-{api,engine,params}/"$junit"/*"$junit".jar \
    "$repository"/org/junit/platform/junit-platform-{commons,engine,launcher}/"1.${junit#5.}"/*"1.${junit#5.}".jar \
    "$repository"/org/assertj/assertj-core/"$(version assertj)"/assertj-core-"$(version assertj)".jar \
    "$(ls "$repository"/org/opentest4j/opentest4j/*/opentest4j-*.jar | tail -n 1)" "$bundle/test-lib/"

# A module or a library that is missing is to show here, and not on the machine with the card.
said=$("$bundle/runtime/bin/java" --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
    -cp "$bundle/nocturne-tests.jar:$bundle/nocturne.jar:$bundle/lib/*:$bundle/test-lib/*" \
    -Dnocturne.card=none nocturne.cuda.OnCard 2>&1) || true
[[ $said == *"families of kernels"* ]] || { echo "the packed program does not run: $said" >&2; exit 70; }

tar -C "$bundle" -cf - . | xz -T 2 -6 >"$folder/bundle.tar.xz"
rm -rf "$bundle"
bytes=$(stat -c %s "$folder/bundle.tar.xz")
echo "$folder/bundle.tar.xz: $((bytes >> 20)) MiB"
[ "$bytes" -le $((most_mib << 20)) ] || { echo "that is more than the $most_mib MiB it may have" >&2; exit 1; }
