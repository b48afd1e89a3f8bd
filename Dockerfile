FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# The caches keep the registry and the compiled dependencies between builds, so that a change to the sources compiles
# the sources alone. They are no part of a layer, hence the copy out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --bin staygate \
    && install -D target/release/staygate /out/staygate
# The folder of the embedded database, for a user without rights elsewhere.
RUN mkdir /out/data

# glibc, root certificates and time zones; no shell, no package manager. SQLite and TLS are inside the binary.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="Staygate" \
    org.opencontainers.image.description="The backend of a marketplace for short stays, served through a GraphQL gateway" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /out/staygate /usr/local/bin/staygate
COPY --from=build --chown=65532:65532 /out/data /var/lib/staygate
# Relative paths, such as that of the embedded database, start here. Nothing else is written to, so that the root
# file system may be read-only.
WORKDIR /var/lib/staygate
VOLUME /var/lib/staygate
ENV STAYGATE_LISTEN=0.0.0.0:8000
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["/usr/local/bin/staygate", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/staygate"]
CMD ["serve"]
