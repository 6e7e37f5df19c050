# Nocturne with everything it needs to train on NVIDIA GPUs. See docs/operations.md, "In a container".
#
#   docker build -t nocturne .
#
# Two stages: the first one builds with Maven, the second one holds the program, a JDK and the CUDA libraries.
# On a machine without GPUs a base of a tenth of the size will do:
#   docker build --build-arg BASE=ubuntu:24.04 -t nocturne:cpu .
ARG JDK=eclipse-temurin:25-jdk
ARG BASE=nvidia/cuda:13.0.1-runtime-ubuntu24.04

FROM ${JDK} AS jdk

FROM maven:3.9-eclipse-temurin-25 AS build
WORKDIR /build
# What the build downloads changes with pom.xml only, and stays in a layer of its own.
COPY pom.xml ./
COPY .mvn .mvn
RUN mvn -q -B -Dquick -DskipTests dependency:go-offline || true
COPY src src
COPY kernels kernels
# Checks and tests belong to the project's own build, `mvn -B verify`, not to the making of an image.
RUN mvn -q -B -Dquick -Dmaven.test.skip package && touch target/nocturne.jar

FROM ${BASE}
# The whole JDK: the launcher asks for one, and next to the CUDA libraries the difference to a JRE is small.
COPY --from=jdk /opt/java/openjdk /opt/java/openjdk
WORKDIR /opt/nocturne
COPY nocturne LICENSE NOTICE ./
COPY src/main/shell/find-jdk.sh src/main/shell/find-jdk.sh
COPY routes routes
COPY examples examples
COPY models/qwen-image-tiny models/qwen-image-tiny
COPY --from=build /build/target/lib target/lib
# Last, so that it is the youngest: the launcher builds when something is younger than the jar.
COPY --from=build /build/target/nocturne.jar target/nocturne.jar

# Any user may run it (compose gives yours, so that the results are yours); this one has no name and no password.
# The home is where JavaCPP unpacks its libraries.
RUN mkdir -p /srv/nocturne /var/cache/nocturne && chmod 1777 /srv/nocturne /var/cache/nocturne
USER 10001:10001

ENV JAVA_HOME=/opt/java/openjdk \
    HOME=/var/cache/nocturne \
    LANG=C.UTF-8 \
    NOCTURNE_INBOX=/srv/nocturne/inbox \
    NOCTURNE_OUTBOX=/srv/nocturne/outbox \
    NOCTURNE_WORK=/srv/nocturne/work \
    NOCTURNE_MANAGEMENT_HOST=0.0.0.0 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

# One volume for all three folders: files go from work/ to outbox/ as hard links, which do not cross mounts.
VOLUME /srv/nocturne
EXPOSE 8787

# The service writes status.json every few seconds; a file that grows old means that it is stuck.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD test $(( $(date +%s) - $(stat -c %Y "$NOCTURNE_WORK/status.json") )) -lt 60

# SIGTERM reaches the service itself (the launcher becomes it); it lets trainers save their state and leaves.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/nocturne/nocturne"]
CMD ["serve"]
