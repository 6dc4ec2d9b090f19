package redact

import (
	"slices"
	"strings"

	"github.com/codex-proxy/codex-proxy/events"
)

// foreign returns what may be told of a record that the catalogue does not have.
func (f *Recorder) foreign(event *events.Foreign) *events.Foreign {
	attributes, changed := f.pairs(event.Attributes)
	body, changedBody := f.value(event.Body)
	name, severity, origin := f.other(event.RecordName), f.other(event.SeverityText), event.Origin
	if origin != nil {
		origin = f.origins.get(origin, f.origin)
	}
	if !changed && !changedBody && name == event.RecordName && severity == event.SeverityText && origin == event.Origin {
		return event
	}
	told := *event
	told.Attributes, told.Body, told.RecordName, told.SeverityText, told.Origin = attributes, body, name, severity, origin
	return &told
}

// origin returns what may be told of where a foreign record came from.
func (f *Recorder) origin(origin *events.Origin) *events.Origin {
	told := *origin
	var changed, changedScope bool
	told.Resource, changed = f.pairs(origin.Resource)
	told.ScopeAttributes, changedScope = f.pairs(origin.ScopeAttributes)
	for _, text := range []*string{&told.ResourceSchemaURL, &told.ScopeName, &told.ScopeVersion, &told.ScopeSchemaURL} {
		if clean := f.other(*text); clean != *text {
			*text, changed = clean, true
		}
	}
	if !changed && !changedScope {
		return origin
	}
	return &told
}

// pairs returns what may be told of attributes, at any depth: a copy if that is not
// all of them.
func (f *Recorder) pairs(pairs []events.Pair) (told []events.Pair, changed bool) {
	told = pairs
	for i := len(pairs) - 1; i >= 0; i-- {
		value, keep := f.pair(pairs[i])
		key := f.other(pairs[i].Key)
		if keep && value == nil && key == pairs[i].Key {
			continue
		}
		if !changed {
			told, changed = slices.Clone(pairs), true
		}
		if !keep {
			told = slices.Delete(told, i, i+1)
			continue
		}
		told[i].Key = key
		if value != nil {
			told[i].Value = *value
		}
	}
	return told, changed
}

// pair returns what is told in place of the value of a pair, nil for the value
// itself, and whether the pair is told at all.
func (f *Recorder) pair(p events.Pair) (value *events.Value, keep bool) {
	if policy := f.policy(p.Key); policy != nil {
		text := p.Value.String()
		told, ok := policy.apply(text, f.scan)
		if !ok {
			return nil, false
		}
		if told == text {
			return nil, true
		}
		return textValue(told), true
	}
	if f.cfg.Scanner != nil && isSecretKey(p.Key) && p.Value.Kind != events.ValueEmpty && p.Value.Text != "" {
		f.count([]int{classOther})
		return textValue(marker("attribute")), true
	}
	if told, changed := f.value(p.Value); changed {
		return &told, true
	}
	return nil, true
}

func textValue(text string) *events.Value {
	return &events.Value{Kind: events.ValueText, Text: text}
}

// isSecretKey reports whether an attribute of that name has a credential for value.
func isSecretKey(key string) bool {
	key = strings.ReplaceAll(strings.ToLower(key), "-", "_")
	switch last := key[strings.LastIndexAny(key, ".")+1:]; last {
	case "authorization", "proxy_authorization", "cookie", "set_cookie", "password", "passwd", "secret", "token", "credential", "credentials":
		return true
	default:
		for _, end := range []string{"api_key", "apikey", "_token", "_secret", "_password", "private_key", "access_key"} {
			if strings.HasSuffix(last, end) {
				return true
			}
		}
		return false
	}
}

// value returns what may be told of a value that has no key of its own.
func (f *Recorder) value(v events.Value) (told events.Value, changed bool) {
	switch v.Kind {
	case events.ValueText, events.ValueBytes:
		text := f.other(v.Text)
		changed = text != v.Text
		v.Text = text
	case events.ValueMap:
		v.Map, changed = f.pairs(v.Map)
	case events.ValueList:
		list := v.List
		for i, element := range list {
			value, differs := f.value(element)
			if !differs {
				continue
			}
			if !changed {
				v.List, changed = slices.Clone(list), true
			}
			v.List[i] = value
		}
	default:
	}
	return v, changed
}
