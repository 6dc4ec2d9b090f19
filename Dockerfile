# Builds the static binary and puts it alone on an empty root file system:
#
#   docker build -t codex-proxy --build-arg VERSION=v1.2.3 --build-arg REVISION="$(git rev-parse HEAD)" \
#     --build-arg CREATED="$(date -u +%Y-%m-%dT%H:%M:%SZ)" .
#   docker run --rm -p 127.0.0.1:8787:8787 -e CODEX_PROXY_ALLOW_REMOTE=true codex-proxy

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH
ARG VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /root-fs/codex-proxy ./cmd/codex-proxy
# An empty root has no certificates to trust an upstream by.
RUN mkdir -p -m 0700 /state && mkdir -p /root-fs/etc/ssl/certs && cp /etc/ssl/certs/ca-certificates.crt /root-fs/etc/ssl/certs/

FROM scratch
# What waits for the collector. A volume takes its owner from the image; without a name it lasts as long as the container.
COPY --from=build --chown=65532:65532 --chmod=0700 /state /state
COPY --from=build /root-fs /

# A published port reaches the container on its own address, never on its loopback, so the image listens on all of
# them. Whether that is safe depends on the port's publication, which the image cannot see: 127.0.0.1:8787:8787 keeps
# the proxy on this machine, 8787:8787 hands it to the network. CODEX_PROXY_ALLOW_REMOTE is therefore not set here.
# Without it the proxy refuses to start and says why; whoever runs the container sets it, knowing how the port is published.
ENV CODEX_PROXY_LISTEN=0.0.0.0:8787
EXPOSE 8787

ENV CODEX_PROXY_STORE_DIR=/state
VOLUME ["/state"]

# The number, not a name: an empty root has no /etc/passwd, and Kubernetes checks runAsNonRoot by the number.
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/codex-proxy", "health"]
ENTRYPOINT ["/codex-proxy"]
CMD ["serve"]

# Last, because they change with every build.
ARG VERSION=dev
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="codex-proxy" \
      org.opencontainers.image.description="Instrumenting reverse proxy between coding agents and /v1/responses" \
      org.opencontainers.image.source="https://github.com/codex-proxy/codex-proxy" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
