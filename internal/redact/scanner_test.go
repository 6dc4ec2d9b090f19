package redact

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func newScanner(tb testing.TB) *Scanner {
	tb.Helper()
	s := NewScanner()
	if _, err := s.rules(); err != nil {
		tb.Fatal(err)
	}
	return s
}

// random returns n characters that are as random as those of credentials, and the
// same every time.
func random(n int, alphabet string) string {
	var b strings.Builder
	state := uint32(2463534242)
	for range n {
		state ^= state << 13
		state ^= state >> 17
		state ^= state << 5
		b.WriteByte(alphabet[state%uint32(len(alphabet))])
	}
	return b.String()
}

const (
	alnum  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	letter = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	digit  = "0123456789"
	hexed  = "0123456789abcdef"
	base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
)

// credentials returns one of each kind, by the rule that is to find it. They are put
// together here so that no other scanner takes this file for a leak.
func credentials() map[string]string {
	return map[string]string{
		"openai-api-key":                        "sk-" + "proj-" + random(74, alnum) + "T3Blbk" + "FJ" + random(74, alnum),
		"anthropic-api-key":                     "sk-" + "ant-api03-" + random(93, alnum) + "AA",
		"openrouter-api-key":                    "sk-" + "or-v1-" + random(64, hexed),
		"api-key-sk":                            "sk-" + random(48, alnum),
		"groq-api-key":                          "gsk" + "_" + random(52, alnum),
		"huggingface-access-token":              "hf" + "_" + random(34, letter),
		"aws-access-token":                      "AKI" + "A" + random(16, base32),
		"gcp-api-key":                           "AIz" + "a" + random(35, alnum),
		"gcp-oauth-token":                       "ya29" + "." + random(120, alnum),
		"gcp-client-secret":                     "GOC" + "SPX-" + random(28, alnum),
		"azure-ad-client-secret":                random(3, alnum) + "8Q" + "~" + random(34, alnum),
		"github-pat":                            "gh" + "p_" + random(36, alnum),
		"github-fine-grained-pat":               "github" + "_pat_" + random(82, alnum),
		"github-app-token":                      "gh" + "s_" + random(36, alnum),
		"gitlab-pat":                            "glp" + "at-" + random(20, alnum),
		"slack-bot-token":                       "xo" + "xb-" + random(12, digit) + "-" + random(12, digit) + "-" + random(24, alnum),
		"stripe-access-token":                   "sk" + "_live_" + random(24, alnum),
		"npm-access-token":                      "np" + "m_" + random(36, alnum),
		"pypi-upload-token":                     "py" + "pi-AgEIcHlwaS5vcmc" + random(70, alnum),
		"jwt":                                   "ey" + "JhbGciOiJIUzI1NiJ9.eyJ" + random(40, alnum) + "." + random(43, alnum),
		"sendgrid-api-token":                    "SG" + "." + random(22, alnum) + "." + random(43, alnum),
		"digitalocean-pat":                      "dop" + "_v1_" + random(64, hexed),
		"docker-access-token":                   "dckr" + "_pat_" + random(27, alnum),
		"vault-service-token":                   "hv" + "s." + random(96, alnum),
		"databricks-api-token":                  "dap" + "i" + random(32, hexed),
		"age-secret-key":                        "AGE-SECRET" + "-KEY-1" + random(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
		"twilio-api-key":                        "S" + "K" + random(32, hexed),
		"aws-amazon-bedrock-api-key-long-lived": "ABS" + "K" + random(110, alnum),
	}
}

func TestScannerFindsCredentials(t *testing.T) {
	s := newScanner(t)
	for rule, secret := range credentials() {
		for _, place := range []string{
			"%", "The key is %.", "(%)", "key\n%\nmore", "X=%;", `export X="%"`, "'%'", "<%>", "a,%,b", "`%`",
			`{"command":["bash","-lc","export X=\"%\""]}`, `{"a":"line\n%\nline"}`, `{"a":"\"%\\n\""}`, `["%"]`, `{"x":"a\u0026%\u003c"}`,
		} {
			text := strings.Replace(place, "%", secret, 1)
			clean, found := s.Text(text)
			if want := strings.Replace(place, "%", "[REDACTED:"+rule+"]", 1); clean != want || !found {
				t.Errorf("Text(%s in %s) = %s, %t; want %s", rule, place, clean, found, want)
			}
		}
	}
}

func TestScannerFindsInContext(t *testing.T) {
	s := newScanner(t)
	secret := random(40, alnum)
	for text, want := range map[string]string{
		"postgres://app:hunter2@db.example.com/x":                                       "postgres://app:[REDACTED:url-password]@db.example.com/x",
		`{"url":"https://u:p%40ss@h/"}`:                                                 `{"url":"https://u:[REDACTED:url-password]@h/"}`,
		"git clone https://" + secret + "@git.example.com/r":                            "git clone https://[REDACTED:url-token]@git.example.com/r",
		"curl -u admin:hunter2 https://h/":                                              "curl -u admin:[REDACTED:authorization-curl-user] https://h/",
		`curl -H "Authorization: Bearer ` + secret + `" h`:                              `curl -H "Authorization: Bearer [REDACTED:authorization-header]" h`,
		`{"cmd":"curl -H \"Authorization: Basic ` + secret + `\""}`:                     `{"cmd":"curl -H \"Authorization: Basic [REDACTED:authorization-header]\""}`,
		"> authorization: " + secret + "\r\n> accept: */*":                              "> authorization: [REDACTED:authorization-header]\r\n> accept: */*",
		`"headers": {"x-api-key": "` + secret + `"}`:                                    `"headers": {"x-api-key": "[REDACTED:api-key-header]"}`,
		"Cookie: session=" + secret + "; a=b\r\nHost: h":                                "Cookie: [REDACTED:cookie-header]\r\nHost: h",
		"GET /v1?api_key=" + secret + "&x=1":                                            "GET /v1?api_key=[REDACTED:url-query-secret]&x=1",
		"AWS_SECRET_ACCESS_KEY=" + secret + "\nHOME=/root":                              "AWS_SECRET_ACCESS_KEY=[REDACTED:aws-secret-access-key]\nHOME=/root",
		"DB_PASSWORD=hunter2hunter2\nHOME=/root":                                        "DB_PASSWORD=[REDACTED:env-secret]\nHOME=/root",
		`{"client_secret": "` + secret + `"}`:                                           `{"client_secret": "[REDACTED:generic-api-key]"}`,
		`{"args":"{\"client_secret\": \"` + secret + `\"}"}`:                            `{"args":"{\"client_secret\": \"[REDACTED:generic-api-key]\"}"}`,
		"DefaultEndpointsProtocol=https;AccountKey=" + secret + "==;X=Y":                "DefaultEndpointsProtocol=https;AccountKey=[REDACTED:azure-storage-key];X=Y",
		"machine h login u password hunter2":                                            "machine h login u password [REDACTED:authorization-netrc]",
		`{"auths":{"h":{"auth":"` + secret + `"}}}`:                                     `{"auths":{"h":{"auth":"[REDACTED:authorization-docker]"}}}`,
		"//registry/:_authToken=" + secret:                                              "//registry/:_authToken=[REDACTED:npm-auth-token]",
		"apiVersion: v1\ndata:\n  password: aHVudGVyMg==\n  user: YQ==\nkind: Secret\n": "apiVersion: v1\ndata:\n[REDACTED:kubernetes-secret]kind: Secret\n",
		"kind: Secret\nstringData:\n  password: hunter2\n":                              "kind: Secret\nstringData:\n[REDACTED:kubernetes-secret]",
	} {
		if clean, _ := s.Text(text); clean != want {
			t.Errorf("Text(%s) = %s; want %s", text, clean, want)
		}
	}
}

func TestScannerFindsPrivateKeys(t *testing.T) {
	s := newScanner(t)
	for _, kind := range []string{"", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "} {
		head, tail := "-----BEGIN "+kind+"PRIV"+"ATE KEY-----\n", "-----END "+kind+"PRIV"+"ATE KEY-----"
		body := strings.Repeat(random(64, alnum)+"\n", 60)
		whole := head + body + tail
		if clean, _ := s.Text("a\n" + whole + "\nb"); clean != "a\n[REDACTED:private-key]\nb" {
			t.Errorf("Text(%skey) = %s", kind, clean)
		}
		if clean, _ := s.Text("a\n" + head + "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" + body + tail + "\nb"); clean != "a\n[REDACTED:private-key]\nb" {
			t.Errorf("Text(%skey with headers) = %s", kind, clean)
		}
		for _, cut := range []int{1, len(tail) + 1, len(whole) / 2, len(whole) - len(head) - 10} {
			if clean, _ := s.Text("a\n" + whole[:len(whole)-cut]); strings.Contains(clean, body[:8]) || !strings.HasPrefix(clean, "a\n[REDACTED:private-key]") {
				t.Errorf("Text(%skey without its last %d bytes) = %s", kind, cut, clean)
			}
		}
		quoted, err := json.Marshal(map[string]string{"key": whole, "x": "y"})
		if err != nil {
			t.Fatal(err)
		}
		if clean, _ := s.Text(string(quoted)); clean != `{"key":"[REDACTED:private-key]","x":"y"}` {
			t.Errorf("Text(%skey in JSON) = %s", kind, clean)
		}
	}
	certificate := "-----BEGIN CERTIFICATE-----\n" + random(64, alnum) + "\n-----END CERTIFICATE-----"
	if clean, found := s.Text(certificate); found {
		t.Errorf("Text(certificate) = %s; want it as it is", clean)
	}
}

// A credential that was cut is known by its beginning.
func TestScannerFindsCutCredentials(t *testing.T) {
	s := newScanner(t)
	for _, rule := range []string{"openai-api-key", "anthropic-api-key", "github-pat", "gitlab-pat", "aws-access-token", "slack-bot-token", "jwt", "npm-access-token"} {
		secret := credentials()[rule]
		for _, end := range []string{"", "… [truncated, 123 bytes]", "…12 tokens truncated…", "\n[... omitted 3 of 9 lines ...]"} {
			for cut := len(secret) - 1; cut > 20; cut -= 7 {
				clean, _ := s.Text("x " + secret[:cut] + end)
				if strings.Contains(clean, secret[12:16]) {
					t.Errorf("Text(%d bytes of %s and %q) = %s", cut, rule, end, clean)
				}
			}
		}
	}
}

// What developers' texts are full of is none.
func TestScannerLeavesOthers(t *testing.T) {
	s := newScanner(t)
	for _, text := range []string{
		"", "hello", "git show " + random(40, hexed), "sha256:" + random(64, hexed), "key := keys[i]", "token, err := next()",
		`{"type":"function_call","call_id":"call_` + random(24, alnum) + `"}`, `"id": "resp_` + random(48, hexed) + `"`,
		"password: $PASSWORD", "postgres://user:$PASSWORD@host/db", "https://user:${{ secrets.TOKEN }}@host", "https://example.com:8080/@scope/name",
		"Authorization: Bearer $TOKEN", "Authorization: Bearer <token>", `headers["Authorization"] = "Bearer " + token`,
		"export API_KEY=your_api_key_here", "TOKEN=${TOKEN}", `TOKEN="$(cat token)"`, "AKIAIOSFODNN7EXAMPLE", "class=\"sk-fading-circle-container\"",
		"task-management-of-long-running-jobs-in-v2", "import { getToken } from './auth/token-provider.js'", "max_output_tokens=128000",
		"the cookie: a small text", "input_token_count=123456789", "ssh-rsa AAAAB3NzaC1yc2E" + random(200, alnum) + " me@host", "foo@bar.example.com",
		`sum: "h1:` + random(43, alnum) + `="`, "docs/keys.md: how to rotate keys", "skipping test_live_reload (slow)", "mongodb://localhost:27017/db",
		"-----BEGIN PUBLIC KEY-----\n" + random(64, alnum), "[REDACTED:openai-api-key]", "550e8400-e29b-41d4-a716-446655440000",
	} {
		if clean, found := s.Text(text); clean != text || found {
			t.Errorf("Text(%s) = %s, %t; want it as it is", text, clean, found)
		}
	}
}

// The second time nothing is found.
func TestScannerIsIdempotent(t *testing.T) {
	s := newScanner(t)
	for rule, secret := range credentials() {
		once, _ := s.Text(`{"token":"` + secret + `"} password=` + secret)
		if twice, found := s.Text(once); twice != once || found {
			t.Errorf("Text(Text(%s)) = %s, %t; want %s", rule, twice, found, once)
		}
	}
}

func TestScannerCounts(t *testing.T) {
	s := newScanner(t)
	for _, secret := range credentials() {
		s.Text(secret + " " + secret)
	}
	counts := s.Counts()
	if len(counts) != classCount {
		t.Errorf("Counts() has %d classes; want %d", len(counts), classCount)
	}
	if counts["github"] != 6 || counts["openai"] != 2 || counts["generic"] != 0 {
		t.Errorf("Counts() = %v; want 6 of github, 2 of openai", counts)
	}
}

// Real texts that have much of what rules look at are told.
func TestScannerBudgetSuffices(t *testing.T) {
	s := newScanner(t)
	for name, text := range map[string]string{
		"code":         sources(t, 512<<10),
		"code in JSON": fmt.Sprintf("%q", sources(t, 512<<10)),
		"certificates": strings.Repeat("-----BEGIN CERTIFICATE-----\n"+random(1200, alnum)+"\n-----END CERTIFICATE-----\n", 140),
		"URLs":         strings.Repeat("see https://example.com/a/b?c=d, and\n", 5000),
		"curl":         strings.Repeat("curl -sSL -X POST https://example.com/v1/things -d '{\"name\":\"x\"}' | jq .\n", 150),
		"YAML":         strings.Repeat("apiVersion: v1\nkind: ConfigMap\ndata:\n  a: b\n", 500),
		"stream":       strings.Repeat("event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n", 2000),
		"headers":      strings.Repeat("authorization: $TOKEN\nx-api-key: $KEY\ncookie: none\naccept: */*\n", 3000),
		"found PEM":    strings.Repeat("a.go:1: -----BEGIN PRIVATE"+" KEY-----\n", 100),
		"tests":        strings.Repeat("ok test_live_password_token (0.01s)\n", 5000),
		"small curl":   strings.Repeat("curl -u $X h\n", 40),
	} {
		if clean, _ := s.Text(text); len(clean) < len(text)*9/10 {
			t.Errorf("%s: told as %.80q", name, clean)
		}
	}
}

// A text made to cost much is not looked at to its end, and not told.
func TestScannerBudget(t *testing.T) {
	s := newScanner(t)
	for _, hostile := range []string{
		`password="" token: key = `, "-----BEGIN PRIVATE" + " KEY-----", "kind: secret data:\n", "curl -u ", "eyJ.", "test_ _mmk q~ atlasv1 ", "ghp_", "://", "sk-",
		"authorization: bearer ", "data:\n a:\n",
	} {
		text := strings.Repeat(hostile, 256<<10/len(hostile))
		if clean, _ := s.Text(text); clean != "[REDACTED:text]" {
			t.Errorf("Text(%q repeated) = %.60s; want it not told", hostile, clean)
		}
	}
	quoted := fmt.Sprintf("%q", strings.Repeat("eyJ.", 128<<10))
	if clean, _ := s.Text(quoted); clean != `"[REDACTED:text]"` {
		t.Errorf("Text(JSON) = %.60s; want it not told, and JSON", clean)
	}
}
