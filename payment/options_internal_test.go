package payment

import (
	"reflect"
	"testing"
	"time"
)

func TestZeroOptionsAreTheDefaults(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*Options{"nil": nil, "zero": {}} {
		got, err := resolve("sk_test_1", "whsec_1", opts)
		if err != nil {
			t.Fatal(err)
		}
		if got.HTTPClient == nil || got.Now == nil || time.Since(got.Now()).Abs() > time.Minute {
			t.Errorf("%s: no client, or another time than ours", name)
		}
		got.HTTPClient, got.Now = nil, nil
		want := Options{
			APIBase: DefaultAPIBase, CallTimeout: DefaultCallTimeout, Tolerance: DefaultTolerance, MaxWebhookBytes: DefaultMaxWebhookBytes,
			BodyLimit: DefaultBodyLimit, Timeout: DefaultTimeout, Workers: DefaultWorkers, Attempts: DefaultAttempts,
			MinDelay: DefaultMinDelay, MaxDelay: DefaultMaxDelay, Lease: DefaultLease, HandleTimeout: DefaultHandleTimeout,
			Poll: DefaultPoll, Keep: DefaultKeep,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// The documentation says that the last of DefaultAttempts comes a night after the
// first.
func TestTheDefaultTriesLastANight(t *testing.T) {
	t.Parallel()
	o, all := Options{}.withDefaults(), time.Duration(0)
	for attempt := 1; attempt < o.Attempts; attempt++ {
		all += o.delay(attempt)
	}
	if all < 9*time.Hour || all > 11*time.Hour {
		t.Errorf("the tries last %v", all)
	}
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	zero := reflect.ValueOf(Options{})
	for i := range zero.NumField() {
		field := zero.Type().Field(i)
		if !field.Type.ConvertibleTo(reflect.TypeFor[int64]()) {
			continue
		}
		opts := new(Options)
		reflect.ValueOf(opts).Elem().Field(i).SetInt(-1)
		if _, err := resolve("sk_test_1", "whsec_1", opts); err == nil {
			t.Errorf("Options.%s may be negative", field.Name)
		}
	}
	for name, opts := range map[string]*Options{
		"a short Keep":           {Keep: MinKeep - 1},
		"a body over 15 MiB":     {MaxWebhookBytes: maxWebhookBytes + 1},
		"MinDelay over MaxDelay": {MinDelay: DefaultMaxDelay + 1},
		"a base of files":        {APIBase: "file:///etc"},
	} {
		if _, err := resolve("sk_test_1", "whsec_1", opts); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
