package config

import (
	"maps"
	"reflect"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/viper"
)

// delimiter separates the parts of viper's keys. The usual dot would tear keys that contain one.
const delimiter = "::"

// leaf is a table viper must take as one value. Viper lower-cases and flattens map[string]any and nothing else, so
// the named type keeps the case, the dots and the emptiness of what is inside.
type leaf map[string]any

// layers merges defaults, file and settings, and decodes the result.
type layers struct {
	v *viper.Viper
}

// newLayers returns layers holding the defaults. The file read into it goes through check.
func newLayers(tree *node, check *checker) *layers {
	registry := viper.NewCodecRegistry()
	// Registering under a name that is not empty cannot fail.
	_ = registry.RegisterCodec("toml", codec{tree: tree, check: check})
	v := viper.NewWithOptions(viper.KeyDelimiter(delimiter), viper.WithCodecRegistry(registry))
	v.SetConfigType("toml")
	setDefaults(v, tree, reflect.ValueOf(Default()))
	return &layers{v: v}
}

func setDefaults(v *viper.Viper, n *node, value reflect.Value) {
	for _, c := range n.children {
		field := value.Field(c.index)
		switch {
		case c.ignored:
		case c.kind == kindTable:
			setDefaults(v, c, field)
		case c.kind == kindExporter:
			v.SetDefault(viperKey(c), exporterNone)
		default:
			v.SetDefault(viperKey(c), field.Interface())
		}
	}
}

// set puts a setting over what is there.
func (l *layers) set(s setting) { l.v.Set(viperKey(s.node), s.value) }

// decode returns the merged configuration. Weak typing is off: values have their type already.
func (l *layers) decode() (*Config, error) {
	cfg := &Config{}
	err := l.v.UnmarshalExact(cfg, func(d *mapstructure.DecoderConfig) {
		d.WeaklyTypedInput = false
		d.DecodeHook = mapstructure.ComposeDecodeHookFunc(exporterHook, mapstructure.StringToTimeDurationHookFunc())
	})
	if err != nil {
		return nil, err
	}
	return cfg, nil
}

// exporterHook turns the two forms an exporter has, a table and the string "none", into what [Exporter] decodes from.
func exporterHook(_, to reflect.Type, data any) (any, error) {
	if to != reflect.TypeFor[Exporter]() {
		return data, nil
	}
	switch data := data.(type) {
	case leaf:
		return map[string]any(data), nil
	case string:
		return map[string]any{}, nil
	default:
		return data, nil
	}
}

func viperKey(n *node) string { return strings.ReplaceAll(n.path, ".", delimiter) }

// codec is viper's TOML reader: go-toml, and behind it the checker, which lets through only what decodes and makes a
// leaf of the exporter.
type codec struct {
	tree  *node
	check *checker
}

// Decode parses document and puts what is right of it into values.
func (c codec) Decode(document []byte, values map[string]any) error {
	var parsed map[string]any
	if err := toml.Unmarshal(document, &parsed); err != nil {
		return err
	}
	maps.Copy(values, c.check.table(c.tree, parsed))
	return nil
}

// Encode is never called; [Config.TOML] writes configurations.
func (codec) Encode(values map[string]any) ([]byte, error) { return toml.Marshal(values) }
