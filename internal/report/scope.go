package report

import (
	"reflect"
	"strings"

	"github.com/codex-proxy/codex-proxy/events"
)

// scope returns what surrounds a reported event.
func (h *Handler) scope(told map[string]value) *events.Scope {
	scope := new(events.Scope)
	fill(reflect.ValueOf(scope).Elem(), h.catalog.common, told)
	return h.complete(scope)
}

// complete returns what the traffic has told of the conversation, overridden by
// what the report says.
//
// Turn, response and request are those of one exchange. The traffic knows the
// latest, which need not be the report's, so they come from the report alone.
func (h *Handler) complete(told *events.Scope) *events.Scope {
	scope := events.Scope{Resource: &h.config.Resource, Profile: profile("", h.config.Resource, "")}
	if h.config.Scopes != nil {
		if known, ok := h.config.Scopes.Scope(told.ConversationID); ok && known != nil {
			scope = *known
			scope.TurnID, scope.ResponseID, scope.RequestID = "", "", ""
			scope.ParentTurnID, scope.RootTurnID, scope.RequestKind = "", "", ""
		}
	}
	if scope.Resource == nil {
		scope.Resource = &h.config.Resource
	}
	override(reflect.ValueOf(&scope).Elem(), reflect.ValueOf(told).Elem())
	scope.AuthMode = authMode(scope.AuthMode)
	if told.Model != "" && told.Slug == "" {
		scope.Slug = told.Model
	}
	if told.AppVersion != "" && told.AppVersion != scope.Resource.ServiceVersion {
		resource := *scope.Resource
		resource.ServiceVersion = told.AppVersion
		scope.Resource = &resource
	}
	if told.AppVersion != "" || told.Originator != "" {
		scope.Profile = profile(scope.Originator, *scope.Resource, scope.AppVersion)
	}
	return &scope
}

// override sets the strings of scope that told has.
func override(scope, told reflect.Value) {
	for i := range told.NumField() {
		if field := told.Field(i); field.Kind() == reflect.String && field.String() != "" {
			scope.Field(i).Set(field)
		}
	}
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
