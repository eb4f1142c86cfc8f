package storage

import "testing"

func TestZeroOptionsAreTheDefaults(t *testing.T) {
	t.Parallel()
	o, err := Options{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if o.QueryTimeout != DefaultQueryTimeout || o.Exports != DefaultExports || o.BodyLimit != DefaultBodyLimit {
		t.Errorf("%+v", o)
	}
	if o.Reserved != nil || o.Scope != nil || o.Geo || o.Text || o.Logger != nil || o.Now == nil || o.NewID == nil {
		t.Errorf("%+v", o)
	}
	if a, b := o.NewID(), o.NewID(); len(a) != 24 || a == b {
		t.Errorf("ids %s and %s", a, b)
	}
}
