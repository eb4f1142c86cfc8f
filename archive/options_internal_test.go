package archive

import (
	"strings"
	"testing"
	"time"
)

func TestZeroOptionsAreTheDefaults(t *testing.T) {
	t.Parallel()
	o, err := Options{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if o.Collection != DefaultCollection || o.MaxBytes != DefaultMaxBytes || o.QueryTimeout != DefaultQueryTimeout ||
		o.Grace != DefaultGrace || o.SweepEvery != DefaultSweepEvery {
		t.Errorf("%+v", o)
	}
	if o.Types != nil || o.Secret != "" || o.OldSecrets != nil || o.Redirect || o.Logger != nil || o.Now == nil {
		t.Errorf("%+v", o)
	}
	if a, b := o.NewID(), o.NewID(); !isID(a) || a == b {
		t.Errorf("ids %s and %s", a, b)
	}
}

func TestEveryMistakeIsNamed(t *testing.T) {
	t.Parallel()
	short := "a short secret"
	_, err := New(nil, nil, &Options{
		MaxBytes: -1, Grace: -1, QueryTimeout: time.Microsecond, Types: []string{"image"}, Secret: short, OldSecrets: []string{short}, Redirect: true,
	})
	if err == nil {
		t.Fatal("it is taken")
	}
	for _, field := range []string{"MaxBytes", "Grace", "QueryTimeout", "Types[0]", "Options.Secret", "OldSecrets[0]", "Redirect", "database", "store"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named: %v", field, err)
		}
	}
	if strings.Contains(err.Error(), short) {
		t.Error("a secret is repeated")
	}
	if _, err := (Options{OldSecrets: []string{strings.Repeat("x", 32)}}).withDefaults(); err == nil {
		t.Error("old secrets without a new one")
	}
}

func TestTypePatterns(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"image/png": true, "image/*": true, "application/vnd.ms-excel": true,
		"": false, "image": false, "*/*": false, "*/png": false, "image/": false, "Image/PNG": false, "text/plain; charset=utf-8": false, "a/b/c": false, "image/png ": false,
	} {
		if isTypePattern(text) != ok {
			t.Errorf("%q: %t", text, !ok)
		}
	}
}
