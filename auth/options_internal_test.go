package auth

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	want := Options{
		Collections:     []string{DefaultCollection},
		AccessLifetime:  DefaultAccessLifetime,
		SessionLifetime: DefaultSessionLifetime,
		MaxSessions:     DefaultMaxSessions,
		Cost:            DefaultCost,
		HashWait:        DefaultHashWait,
		AddressAtOnce:   DefaultAddressAtOnce,
		AddressLimit:    DefaultAddressLimit(),
		PairLimit:       DefaultPairLimit(),
		AccountLimit:    DefaultAccountLimit(),
		SweepInterval:   DefaultSweepInterval,
		Timeout:         DefaultTimeout,
	}
	for _, opts := range []*Options{nil, {}} {
		got, err := resolve(strings.Repeat("s", MinSecretBytes), opts)
		if err != nil || got.Now == nil {
			t.Fatalf("resolve: %v", err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Options{}, "Now")); diff != "" {
			t.Errorf("defaults (-want +got):\n%s", diff)
		}
	}
}
