package report

import (
	"reflect"
	"strings"

	"github.com/codex-proxy/codex-proxy/events"
)

// scope returns what surrounds a reported event: what the traffic has told of
// the conversation, overridden by what the report says.
//
// Turn, response and request are those of one exchange. The traffic knows the
// latest, which need not be the report's, so they come from the report alone.
func (h *Handler) scope(told map[string]value) *events.Scope {
	scope := events.Scope{Resource: &h.config.Resource, Profile: profile("", h.config.Resource, "")}
	if h.config.Scopes != nil {
		if known, ok := h.config.Scopes.Scope(told["conversation.id"].text); ok && known != nil {
			scope = *known
			scope.TurnID, scope.ResponseID, scope.RequestID = "", "", ""
		}
	}
	if scope.Resource == nil {
		scope.Resource = &h.config.Resource
	}
	fill(reflect.ValueOf(&scope).Elem(), h.catalog.common, told)
	scope.AuthMode = authMode(scope.AuthMode)
	if model, ok := told["model"]; ok {
		if _, slug := told["slug"]; !slug {
			scope.Slug = model.text
		}
	}
	version, hasVersion := told["app.version"]
	if hasVersion && version.text != scope.Resource.ServiceVersion {
		resource := *scope.Resource
		resource.ServiceVersion = version.text
		scope.Resource = &resource
	}
	if _, hasOriginator := told["originator"]; hasVersion || hasOriginator {
		scope.Profile = profile(scope.Originator, *scope.Resource, scope.AppVersion)
	}
	return &scope
}

// profile takes an agent for Codex when its originator says so, or, without
// one, the service.name.
func profile(originator string, resource events.Resource, version string) events.Profile {
	name := originator
	if name == "" {
		name = resource.ServiceName
	}
	if !strings.HasPrefix(asciiLower(name), "codex") {
		return events.Profile{}
	}
	return events.CodexProfile(version)
}

// authMode spells the modes of the catalogue as the catalogue does; Codex
// writes Chatgpt since 0.110.
func authMode(told string) string {
	switch asciiLower(told) {
	case "apikey":
		return "ApiKey"
	case "chatgpt":
		return "ChatGPT"
	default:
		return told
	}
}
