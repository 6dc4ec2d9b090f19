package proxy

import (
	"encoding/json"
	"net/http"
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
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // The client is gone if this fails.
}
