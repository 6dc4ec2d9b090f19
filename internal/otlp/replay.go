package otlp

import "github.com/codex-proxy/codex-proxy/internal/outbox"

// Replay sends an encoded ExportLogsServiceRequest again as it is, after what is
// recorded so far, in batches like any other.
func (x *Exporter) Replay(request []byte) {
	x.batcher.seal()
	x.outbox.Append(outbox.NewEntry(request))
}
