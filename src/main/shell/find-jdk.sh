# Finds a JDK that can build and run Nocturne. Sourced by ./nocturne and .ci/run; bash 3.2 (macOS) suffices.
#
# The version is read from the file `release` that every JDK carries: starting each java to ask would cost
# half a second a piece.

# The oldest Java we compile for; pom.xml says the same in maven.compiler.release.
REQUIRED_JAVA=25

# Prints the folders that may be JDKs, one a line, in the order of preference: what the user chose comes first.
jdk_candidates() {
    if [ -n "${JAVA_HOME:-}" ]; then printf '%s\n' "$JAVA_HOME"; fi
    local java target
    type -aP java 2>/dev/null | while IFS= read -r java; do
        # PATH usually holds a link (or a chain of links) into the real folder.
        while [ -L "$java" ]; do
            target=$(readlink "$java")
            case $target in
                /*) java=$target ;;
                *) java=$(dirname "$java")/$target ;;
            esac
        done
        dirname "$(dirname "$java")"
    done
    local folder
    for folder in /usr/lib/jvm/* "${HOME:-/nonexistent}"/.sdkman/candidates/java/* "${HOME:-/nonexistent}"/.jdks/* \
            /opt/* /opt/java/* /Library/Java/JavaVirtualMachines/*/Contents/Home \
            "${HOME:-/nonexistent}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
            /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
        printf '%s\n' "$folder"
    done
}

# Prints the major version of the JDK in folder $1; fails if there is none, or only a runtime without compiler.
jdk_version() {
    [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
    # JAVA_VERSION="25.0.3" or "26-ea" or, long ago, "1.8.0_392", which reads as 1 and is refused like any old one.
    local version
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
    [ -n "$version" ] && printf '%s\n' "$version"
}

# Prints the first candidate that is new enough; fails if none is.
find_jdk() {
    local folder version
    while IFS= read -r folder; do
        version=$(jdk_version "$folder") || continue
        if [ "$version" -ge "$REQUIRED_JAVA" ]; then
            printf '%s\n' "$folder"
            return 0
        fi
    done < <(jdk_candidates)
    return 1
}

# Tells a person what to install.
say_no_jdk() {
    cat >&2 <<END
Nocturne needs a JDK, version $REQUIRED_JAVA or newer, and found none in JAVA_HOME, PATH and the usual folders.
Install Eclipse Temurin $REQUIRED_JAVA from https://adoptium.net/temurin/releases/?version=$REQUIRED_JAVA
(or: sdk install java $REQUIRED_JAVA-tem), or point JAVA_HOME to a JDK that you have, and start again.
END
}
