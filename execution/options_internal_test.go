package execution

import "testing"

func TestZeroOptionsAreTheDefaults(t *testing.T) {
	t.Parallel()
	o, err := Options{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if o.KeyLifetime != DefaultKeyLifetime || o.SweepInterval != DefaultSweepInterval ||
		o.BodyLimit != DefaultBodyLimit || o.MaxResultBytes != DefaultMaxResultBytes {
		t.Errorf("%+v", o)
	}
	if o.Database != nil || o.Logger != nil || o.Now == nil {
		t.Errorf("%+v", o)
	}
	f, _ := Function{}.withDefaults()
	if f.opts != (FuncOptions{Timeout: DefaultTimeout, Concurrency: DefaultConcurrency}) {
		t.Errorf("%+v", f.opts)
	}
}
