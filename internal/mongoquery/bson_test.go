package mongoquery_test

import (
	"errors"
	"testing"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/internal/mongoquery"
)

func TestMalformedBSONIsRefused(t *testing.T) {
	t.Parallel()
	for name, bytes := range map[string]string{
		"nil":                       "",
		"short":                     "\x05\x00\x00\x00",
		"longer than it says":       "\x05\x00\x00\x00\x00\x00",
		"shorter than it says":      "\x06\x00\x00\x00\x00",
		"no final zero":             "\x05\x00\x00\x00\x01",
		"negative length":           "\xff\xff\xff\xff\x00",
		"name without end":          "\x07\x00\x00\x00\x0aa\x00",
		"unknown type":              "\x08\x00\x00\x00\x20a\x00\x00",
		"int cut":                   "\x0a\x00\x00\x00\x10a\x00\x01\x00\x00",
		"boolean of two":            "\x09\x00\x00\x00\x08a\x00\x02\x00",
		"string of length zero":     "\x0c\x00\x00\x00\x02a\x00\x00\x00\x00\x00\x00",
		"string without zero":       "\x0e\x00\x00\x00\x02a\x00\x02\x00\x00\x00xy\x00",
		"string past the end":       "\x0e\x00\x00\x00\x02a\x00\xff\xff\xff\x7fx\x00\x00",
		"string not UTF-8":          "\x0e\x00\x00\x00\x02a\x00\x02\x00\x00\x00\xff\x00\x00",
		"name not UTF-8":            "\x08\x00\x00\x00\x0a\xff\x00\x00",
		"binary of greatest length": "\x0f\x00\x00\x00\x05a\x00\xff\xff\xff\x7f\x00xy\x00",
		"regex without options":     "\x0a\x00\x00\x00\x0ba\x00x\x00\x00",
		"document past the end":     "\x0d\x00\x00\x00\x03a\x00\x06\x00\x00\x00\x00\x00",
		"document shorter":          "\x0d\x00\x00\x00\x03a\x00\x04\x00\x00\x00\x00\x00",
		"array with names":          "\x10\x00\x00\x00\x04a\x00\x08\x00\x00\x00\x0ax\x00\x00\x00",
		"array out of order":        "\x10\x00\x00\x00\x04a\x00\x08\x00\x00\x00\x0a1\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules, raw := open(), bson.Raw(bytes)
			_, update := rules.Update(raw)
			_, names := rules.Names(raw)
			for i, err := range []error{
				rules.Filter(raw), rules.Projection(raw), rules.Sort(raw), rules.Document(raw), update, names, rules.Pipeline([]bson.Raw{raw}),
			} {
				var refusal *mongoquery.Error
				if !errors.As(err, &refusal) || refusal.Code != mongoquery.CodeInvalid {
					t.Errorf("%d: got %v", i, err)
				}
			}
		})
	}
}
