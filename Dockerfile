# `berth serve` in a container:
#
#     docker build -t berth . && docker run -p 127.0.0.1:5000:5000 -v berth-data:/data berth
#
# tests/package builds and runs it with stand-ins for the base images; it has not been built with the real ones yet.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release --bin berth \
    && install -D -t /out/bin target/release/berth \
    && install -d /out/data

# The C library of the same Debian, and certificates of authorities; no shell. `nonroot` is user 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/bin/berth /usr/local/bin/berth
COPY --from=build --chown=65532:65532 /out/data /data
# From / the default storage, ./data, is /data. So nothing has to be unset to use another one (REGISTRY_STORAGE=s3).
WORKDIR /
ENV REGISTRY_HTTP_ADDR=:5000
USER 65532:65532
VOLUME ["/data"]
EXPOSE 5000
# No HEALTHCHECK: the image has no program that could ask. A probe from outside: GET /v2/ answers 200, or 401 with a login.
ENTRYPOINT ["/usr/local/bin/berth"]
CMD ["serve"]
