package parity

import (
	"fmt"
	"strconv"
	"time"
)

// The two measure with a hop and two schedulers between them.
const (
	toleratedTime  = 400 * time.Millisecond // of a duration, or toleratedShare if that is more
	toleratedShare = 0.25
	toleratedHop   = time.Second
	toleratedLag   = time.Second // of a time: who reads a big stream falls behind
	// What the CLI does or is told is seen with the request that comes after it.
	toleratedWait = 15 * time.Second
)

// alike reports whether two values of an attribute are the same, or measurements that are about the same, written alike.
func alike(event, key string, codex, proxy any) bool {
	if codex == proxy {
		return true
	}
	if fmt.Sprintf("%T", codex) != fmt.Sprintf("%T", proxy) {
		return false
	}
	switch key {
	case "event.timestamp":
		first, err1 := time.Parse("2006-01-02T15:04:05.000Z", fmt.Sprint(codex))
		second, err2 := time.Parse("2006-01-02T15:04:05.000Z", fmt.Sprint(proxy))
		lag := toleratedLag
		switch event {
		case "codex.conversation_starts", "codex.user_prompt", "codex.tool_decision", "codex.tool_result":
			lag = toleratedWait
		}
		return err1 == nil && err2 == nil && first.Sub(second).Abs() <= lag
	case "duration_ms", "ttft_ms":
		first, err1 := strconv.Atoi(fmt.Sprint(codex))
		second, err2 := strconv.Atoi(fmt.Sprint(proxy))
		tolerated := max(toleratedTime.Milliseconds(), int64(toleratedShare*float64(first)))
		if event == "codex.api_request" || event == "codex.websocket_connect" || event == "codex.websocket_request" {
			tolerated = max(tolerated, toleratedHop.Milliseconds()) // The agent connects first, and loads what it needs for that.
		}
		return err1 == nil && err2 == nil && int64(max(first-second, second-first)) <= tolerated
	default:
		return false
	}
}
