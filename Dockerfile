# Two images, of which the last one here is what a plain build makes:
#
#   docker build .                     the gateway, and everything else that the binary does
#   docker build --target backups .    the same with PostgreSQL's pg_dump and pg_restore, for the worker that makes backups
#   docker build --target binary --output folder .    the binary alone, for any Linux with glibc 2.36 or later
#
# Base images are named by version and not by digest, so that a rebuild has the security updates of that version.

FROM rust:1.95-slim-bookworm AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /src
# The dependencies, compiled from the manifests and nothing else: this layer is made anew only when a manifest or the lock file changes, and a
# cache of layers keeps it from one machine to the next, which a cache mount does not outlive. Cargo wants a file for every target that it is
# told of, even where it builds none of them.
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
COPY migration/Cargo.toml migration/
RUN mkdir -p src migration/src \
    && touch src/lib.rs migration/src/lib.rs \
    && echo 'fn main() {}' >src/main.rs \
    && sed -n '/^\[\[bench]]/,/^$/s/^name = "\(.*\)"/\1/p' Cargo.toml | while read -r bench; do \
        mkdir -p "benches/$bench"; \
        cp src/main.rs "benches/$bench/"; \
    done \
    && cargo build --release --locked --bin staygate
COPY migration/src migration/src
COPY src src
# Cargo goes by the time of a file, and the true ones may be older than the layer above.
RUN touch src/lib.rs src/main.rs migration/src/lib.rs \
    && cargo build --release --locked --bin staygate \
    && install -D target/release/staygate /out/staygate \
    # The folder of the embedded database, for a user without rights elsewhere.
    && mkdir /out/data

FROM scratch AS binary
COPY --from=build /out/staygate /

# PostgreSQL's own tools and what they load, of the version that compose.yaml runs: pg_dump refuses a server that is newer than itself.
FROM postgres:16-bookworm AS postgres
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# The program interpreter and the C library are in the image that this goes into.
RUN mkdir -p /out/bin /out/lib \
    && cp /usr/lib/postgresql/16/bin/pg_dump /usr/lib/postgresql/16/bin/pg_restore /out/bin/ \
    && ldd /out/bin/pg_dump /out/bin/pg_restore \
        | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u | grep -Ev '/(libc|libm|libdl|libpthread|librt|libresolv)\.so' \
        | xargs -r cp -Lt /out/lib

# glibc, root certificates and time zones; no shell, no package manager. SQLite and TLS are inside the binary.
FROM gcr.io/distroless/cc-debian12:nonroot AS base
LABEL org.opencontainers.image.title="Staygate" \
    org.opencontainers.image.description="The backend of a marketplace for short stays, served through a GraphQL gateway" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /out/staygate /usr/local/bin/staygate
COPY --from=build --chown=65532:65532 /out/data /var/lib/staygate
# Relative paths, such as that of the embedded database, start here. Nothing else is written to, so that the root
# file system may be read-only.
WORKDIR /var/lib/staygate
VOLUME /var/lib/staygate
# Named by its number, which is all that Kubernetes can tell from root.
USER 65532:65532
ENV STAYGATE_LISTEN=0.0.0.0:8000
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["/usr/local/bin/staygate", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/staygate"]
CMD ["serve"]

FROM base AS backups
COPY --from=postgres /out/bin/ /usr/local/bin/
COPY --from=postgres /out/lib/ /usr/local/lib/postgresql/
# For these two; the binary of Staygate loads nothing of what is in there.
ENV LD_LIBRARY_PATH=/usr/local/lib/postgresql
HEALTHCHECK NONE
CMD ["worker"]

FROM base AS gateway
