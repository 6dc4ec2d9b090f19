package proxy

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// errorBody is an error as the OpenAI API spells it.
type errorBody struct {
	Error struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	} `json:"error"`
}

// writeError answers with an error of the proxy's own.
func writeError(w http.ResponseWriter, status int, code, message string) {
	var body errorBody
	body.Error.Message, body.Error.Type, body.Error.Code = message, "codex_proxy_error", code
	text, err := json.Marshal(body)
	if err != nil {
		text = nil // Strings always marshal; the status alone says it too.
	}
	text = append(text, '\n')
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // The client is gone if this fails.
}
