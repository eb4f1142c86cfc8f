package paymenttest

import (
	"net/http"
	"time"
)

const (
	// maxKey is how long an idempotency key may be.
	maxKey = 255
	// keyLife is how long an answer is kept, in seconds.
	keyLife = int64(24 * time.Hour / time.Second)
)

// remember returns what was answered to the idempotency key of a request, or
// takes the key for it.
func (s *Stripe) remember(in incoming) (*answer, *Failure) {
	if in.key == "" {
		return nil, nil
	}
	if len(in.key) > maxKey {
		return nil, invalid("", "", "Idempotency keys must be at most 255 characters long.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock().Unix()
	asked := in.r.Method + " " + in.r.URL.Path + "?" + in.form.Encode()
	old := s.answers[in.key]
	switch {
	case old == nil || now-old.at >= keyLife:
		s.answers[in.key] = &answer{asked: asked, at: now}
		return nil, nil
	case old.asked != asked:
		return nil, &Failure{
			Status: http.StatusBadRequest, Type: "idempotency_error",
			Message: "Keys for idempotent requests can only be used with the same parameters they were first used with. " +
				"Try using a key other than '" + in.key + "' if you meant to execute a different request.",
		}
	case !old.done:
		return nil, &Failure{
			Status: http.StatusConflict, Type: "idempotency_error", Code: "idempotency_key_in_use",
			Message: "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): " +
				in.key + ". Please try again later.",
		}
	default:
		again := *old
		return &again, nil
	}
}

// keep stores an answer under its key. A request that was refused before it took
// effect may be tried again with the same key; a decline and a crash may not.
func (s *Stripe) keep(key string, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keepLocked(key, a)
}

func (s *Stripe) keepLocked(key string, a answer) {
	taken := s.answers[key]
	switch {
	case taken == nil:
	case a.status == http.StatusOK, a.status == http.StatusPaymentRequired, a.status == http.StatusInternalServerError:
		taken.status, taken.body, taken.done = a.status, a.body, true
	default:
		delete(s.answers, key)
	}
}

// forget gives a key back.
func (s *Stripe) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.answers, key)
}
