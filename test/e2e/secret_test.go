package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/codex-proxy/codex-proxy/responsestest"
	"github.com/codex-proxy/codex-proxy/test/e2e/receiver"
)

// contentKey is a credential that is known by its looks, put together so that nobody takes it for a leak.
const contentKey = "gh" + "p_Ab3dE6gH9jK2mN5pQ8sT1vX4yZ7aC0eF6iL2"

// TestCredentialsStayHome lets everything go well and everything fail, the log at its most talkative, and looks for the
// credentials of the agent and of the exporter, and for those in prompts, arguments and outputs, in all that the proxy tells.
func TestCredentialsStayHome(t *testing.T) {
	echo := "Incorrect API key provided: " + agentKey
	models := map[string][]responsestest.Response{
		"works":    {responsestest.Stream(conversationStream()...)},
		"refuses":  {responsestest.Error(http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", echo)},
		"cuts":     {{Events: conversationStream()[:2], Abort: responsestest.AbortStream}},
		"is gone":  {{Abort: responsestest.AbortBeforeHeaders}},
		"fails":    {responsestest.Stream(responsestest.Created("r1"), responsestest.Failed("r1", "server_error", "we failed"))},
		"is wrong": {{Body: []byte("data: " + echo + "\n\n")}},
	}
	failures := map[string]receiver.Failure{"takes": receiver.None, "refuses": receiver.Invalid, "is unavailable": receiver.Unavailable}
	for _, way := range ways() {
		for modelName, answers := range models {
			for failureName, failure := range failures {
				t.Run(way.name+" model "+modelName+" collector "+failureName, func(t *testing.T) {
					model, collector := responsestest.NewServer(t), receiver.Start(t, receiver.Options{})
					model.Any(answers[0])
					collector.Sink.Fail(failure)
					p := serve(t, model.BaseURL(), way.table(collector, exporter{
						headers: map[string]string{"authorization": "Bearer " + exportKey, "x-otlp-api-key": exportKey},
					})+"[log]\nlevel = \"debug\"\n[content]\nprompts = \"full\"\n")
					tryToAsk(t, p)
					reports := strings.NewReplacer("wörld", contentKey, `"{}"`, `"{\"key\":\"`+contentKey+`\"}"`, `"no"`, `"no `+contentKey+`"`).Replace(conversationReports)
					report(t, p, reports, `{"accepted":4,"rejected":0,"errors":[]}`)
					_, scraped := get(t.Context(), t, p.url+"/metrics")
					p.stop()
					told := map[string]string{"log": p.log.String(), "metrics": scraped}
					records := collector.Sink.Records()
					for i := range records {
						told[fmt.Sprintf("record %d", i)] = fmt.Sprintf("%+v", records[i])
					}
					if failure == receiver.None && len(records) < 5 {
						t.Errorf("records %s arrived; want one of the request and those reported", names(records))
					}
					for place, text := range told {
						for _, secret := range []string{agentKey, exportKey, contentKey} {
							if strings.Contains(text, secret) {
								t.Errorf("the %s has a credential: %s", place, text)
							}
						}
					}
					if marks := strings.Count(fmt.Sprintf("%+v", records), "[REDACTED:github-pat]"); failure == receiver.None && marks != 3 {
						t.Errorf("%d marks of credentials are told; want those of prompt, arguments and output", marks)
					}
					if got := model.Requests()[0].Header.Get("Authorization"); got != "Bearer "+agentKey {
						t.Errorf("upstream got Authorization %q; want the agent's", got)
					}
				})
			}
		}
	}
}

// tryToAsk asks through p, whatever comes of it.
func tryToAsk(t *testing.T, p *proxy) {
	t.Helper()
	target := p.url + "/v1/responses?key=" + agentKey
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(conversationRequest))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = agentHeader()
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return
	}
	var discarded strings.Builder
	_ = response.Write(&discarded) // to its end, broken or not
	response.Body.Close()
}
