module github.com/codex-proxy/codex-proxy/bench

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	google.golang.org/protobuf v1.36.12
)
