package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
)

const canary = "sk-canary-0123456789"

// TestCredentialsOfTheRequestAreTakenOut has an upstream that quotes the key in
// every place that becomes part of a record.
func TestCredentialsOfTheRequestAreTakenOut(t *testing.T) {
	for name, header := range map[string]http.Header{
		"bearer": {"Authorization": {"Bearer " + canary}}, "key": {"X-Api-Key": {canary}}, "Google": {"X-Goog-Api-Key": {canary}},
		"Azure": {"Ocp-Apim-Subscription-Key": {canary}}, "cookie": {"Cookie": {"a=b; session=" + canary}},
	} {
		t.Run(name, func(t *testing.T) { takenOut(t, "", header) })
	}
	for _, query := range []string{"?key=" + canary, "?a=b&api_key=" + canary, "?access_token=" + strings.Replace(canary, "s", "%73", 1)} {
		t.Run(query, func(t *testing.T) { takenOut(t, query, http.Header{}) })
	}
}

func takenOut(t *testing.T, query string, header http.Header) {
	t.Helper()
	said := "Incorrect API key provided: " + canary
	upstream := responsestest.NewServer(t)
	refused := responsestest.Error(http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", said)
	refused.Header = http.Header{"X-Openai-Authorization-Error": {said}, "Content-Type": {"application/json"}}
	upstream.Sequence(
		refused,
		responsestest.Stream(responsestest.Created("r1"), responsestest.Failed("r1", "invalid_api_key", said)),
		responsestest.JSON(http.StatusOK, map[string]any{"id": "r2", "status": "failed", "error": map[string]string{"message": said}}),
	)
	server, records := start(t, upstream.BaseURL())
	for range 3 {
		response := post(t, server.URL+"/v1/responses"+query, ask, header)
		if _, err := io.ReadAll(response.Body); err != nil {
			t.Fatal(err)
		}
	}
	server.Close()
	told := 0
	for _, record := range records.all() {
		text := fmt.Sprintf("%+v %+v", record.Event, record.Scope)
		if strings.Contains(text, canary) {
			t.Errorf("the key is in %s", text)
		}
		told += strings.Count(text, "[CREDENTIAL]")
	}
	if told < 3 {
		t.Errorf("%d texts were scrubbed; want one of each response", told)
	}
}
