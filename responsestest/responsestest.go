// Package responsestest is a mock of the Responses API for tests and demos, in
// the manner of net/http/httptest: a real server on a loopback port that plays
// prepared answers, records every request and fails the test when the calls are
// not the expected ones.
//
// A test mounts what the model is to say and points its client at the server:
//
//	srv := responsestest.NewServer(t)
//	srv.Sequence(
//		responsestest.Stream(
//			responsestest.Created("resp_1"),
//			responsestest.FunctionCall("call_1", "shell", `{"command":["ls"]}`),
//			responsestest.Completed("resp_1"),
//		),
//		responsestest.Stream(
//			responsestest.Created("resp_2"),
//			responsestest.Message("msg_1", "done"),
//			responsestest.Completed("resp_2"),
//		),
//	)
//	// run the agent with base URL srv.BaseURL() ...
//	output, ok := srv.Requests()[1].ToolOutput("call_1")
//
// # Mounts
//
// A mount answers calls, that is POST requests to a path that ends in
// /responses. [Server.Once], [Server.Any], [Server.Match], [Server.Sequence] and
// [Server.Func] differ in which calls they take and how many; [Mount.Times] and
// [Mount.AtLeast] set the number that the test expects. Mounts are asked in the
// order in which they were mounted, and the first that matches and has calls
// left answers. A call that no mount takes gets a 500 that says what was
// expected and fails the test at once; a mount that was called too seldom fails
// it when the server closes.
//
// Other requests never count as calls. An upgrade to WebSocket gets 426, upon
// which Codex falls back to HTTP at once, unless [Options.WebSocket] takes it:
// then each response.create that comes over it is a call, each event of the
// answer a message, an error status an error message, and a warm-up
// ("generate": false) is answered as no call. A POST to an analytics path gets an
// empty JSON object; the rest gets a 404. [Server.Route] changes the answer.
//
// # Time
//
// Delays wait on the clock. A test that must not depend on it stops a stream
// with [Gate.Stop] or [Wait] and lets it go on when it has seen enough. Both
// kinds of waiting end when the client leaves or the server closes.
package responsestest

// TB is the part of [testing.TB] that a [Server] needs, small enough to be
// implemented without a test.
type TB interface {
	// Helper marks the caller as a test helper.
	Helper()
	// Logf writes to the test's log.
	Logf(format string, args ...any)
	// Errorf reports a failure and lets the test go on. It is called from the
	// server's goroutines, never after Close has returned.
	Errorf(format string, args ...any)
	// Cleanup registers a function to be called when the test ends.
	Cleanup(f func())
}
