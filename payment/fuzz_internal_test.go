package payment

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/imadelakhaldev/coglex/service"
)

// FuzzEnvelope looks for bodies that are taken for an event and are none.
func FuzzEnvelope(f *testing.F) {
	for _, seed := range []string{
		`{"id":"evt_1","object":"event","type":"invoice.paid","api_version":"2023-10-16","created":1700000000,"livemode":false,"data":{"object":{"id":"in_1"}}}`,
		`{"id":"evt_2","object":"v2.core.event","type":"v1.billing.meter","created":"2026-01-02T03:04:05.678Z","context":"acct_1","related_object":{"id":"m"}}`,
		`{"id":{"$gt":""}}`, `[]`, ` {"id":"evt_3","created":1e400,"data":[[[[]]]]}`, `{"id":"evt_4","id":"evt_5"}`, "\xef\xbb\xbf{}", `{"id":"evt_6","data":{"object":"\ud800"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := parseEnvelope(body)
		if err != nil {
			if _, ok := errors.AsType[*service.Problem](err); !ok {
				t.Fatalf("an error that is no problem: %v", err)
			}
			return
		}
		if !eventID.MatchString(e.ID) || !json.Valid(body) || e.Object != nil && !json.Valid(e.Object) {
			t.Errorf("%q was taken for %+v", body, e)
		}
		if _, err := json.Marshal(e.Created); err != nil {
			t.Errorf("%q has a time that cannot be told: %v", body, err)
		}
	})
}

// FuzzSignature looks for headers that are taken for a signature and hold none.
func FuzzSignature(f *testing.F) {
	for _, seed := range []string{"t=1700000000,v1=" + macOfZeros, "t=1, v1=00", "v1=,t=", "t=-1,v0=" + macOfZeros, "t=1,t=2,v1=" + macOfZeros} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		sig, err := parseSignature(http.Header{headerSignature: {header}})
		if err != nil {
			if !errors.Is(err, ErrSignature) {
				t.Fatal(err)
			}
			return
		}
		if len(sig.macs) == 0 || len(sig.macs) > maxSignatures || sig.timestamp == "" || sig.signed.Unix() < 0 {
			t.Errorf("%q was taken for %+v", header, sig)
		}
	})
}

const macOfZeros = "0000000000000000000000000000000000000000000000000000000000000000"
