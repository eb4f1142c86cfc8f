package paymenttest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody bounds a request's body.
const maxBody = 1 << 20

// answer is what is sent back. With an idempotency key it is kept and sent again.
type answer struct {
	status int
	body   []byte

	asked string // what was asked, for idempotency
	at    int64
	done  bool
}

// serve makes a handler of an endpoint: key, faults, idempotency, the call
// itself, its events.
func (s *Stripe) serve(do endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, err := readForm(w, r)
		in := s.arrive(r, form)
		w.Header().Set("Request-Id", in.id)
		w.Header().Set("Stripe-Version", in.version)
		if err != nil {
			s.finish(w, in, in.failed(invalid("", "", "Invalid request body.")), false)
			return
		}
		if f := s.admit(r); f != nil {
			s.finish(w, in, in.failed(f), false)
			return
		}
		old, f := s.remember(in)
		switch {
		case f != nil:
			s.finish(w, in, in.failed(f), false)
		case old != nil:
			s.finish(w, in, *old, true)
		default:
			s.execute(r.Context(), w, in, do)
		}
	})
}

// incoming is a request that arrived.
type incoming struct {
	id      string
	index   int // in Stripe.requests
	version string
	key     string // for idempotency
	form    url.Values
	r       *http.Request
}

func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method == http.MethodGet {
		return url.ParseQuery(r.URL.RawQuery)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, err
	}
	return url.ParseQuery(string(body))
}

// arrive records a request.
func (s *Stripe) arrive(r *http.Request, form url.Values) incoming {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := incoming{
		id: s.state.id(kindRequest), index: len(s.requests),
		version: r.Header.Get("Stripe-Version"), key: r.Header.Get("Idempotency-Key"), form: form, r: r,
	}
	s.requests = append(s.requests, Request{
		ID: in.id, Method: r.Method, Path: r.URL.Path, Form: form, IdempotencyKey: in.key, APIVersion: in.version, Time: s.clock(),
	})
	if in.version == "" {
		in.version = s.state.version
	}
	if r.Method != http.MethodPost {
		in.key = ""
	}
	return in
}

// admit checks the key of a request.
func (s *Stripe) admit(r *http.Request) *Failure {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if user, _, basic := r.BasicAuth(); basic {
		key, ok = user, true
	}
	switch {
	case !ok || key == "":
		return &Failure{Status: http.StatusUnauthorized, Message: "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."}
	case key != s.key:
		return &Failure{Status: http.StatusUnauthorized, Message: "Invalid API Key provided: " + redacted(key)}
	default:
		return nil
	}
}

// redacted shows of a key what Stripe's messages show.
func redacted(key string) string {
	if len(key) < 12 {
		return "****"
	}
	return key[:8] + strings.Repeat("*", len(key)-12) + key[len(key)-4:]
}

// execute carries a call out, keeps what is answered, and has its events sent.
func (s *Stripe) execute(ctx context.Context, w http.ResponseWriter, in incoming, do endpoint) {
	if !s.wait(ctx) {
		s.forget(in.key)
		return
	}
	fault := s.fault(in.r.URL.Path)
	if fault != nil && !fault.Lost {
		a := in.failed(fault)
		s.keep(in.key, a)
		s.finish(w, in, a, false)
		return
	}
	a := s.carryOut(in, do)
	defer s.mail.run(ctx, s)
	if fault != nil {
		panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to break a connection
	}
	s.finish(w, in, a, false)
	_ = http.NewResponseController(w).Flush() // the answer comes before its events, where it can
}

// carryOut runs an endpoint under the lock.
func (s *Stripe) carryOut(in incoming, do endpoint) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin(object{"id": in.id, "idempotency_key": orNil(in.key)})
	s.state.base = base(in.r)
	c := &call{state: &s.state, form: parseForm(in.form), r: in.r}
	o, f := do(c)
	if f == nil {
		o, f = c.expanded(o)
	}
	a := in.failed(f)
	if f == nil {
		a = in.answered(render(o, in.version))
	}
	s.mail.enqueue(s.post(s.state.events)...)
	s.keepLocked(in.key, a)
	return a
}

// base is where a request came to.
func base(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (in incoming) answered(o object) answer {
	body, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return in.failed(&Failure{Message: fmt.Sprintf("can not be written: %v", err)})
	}
	return answer{status: http.StatusOK, body: body}
}

func (in incoming) failed(f *Failure) answer {
	if f == nil {
		return answer{}
	}
	a := in.answered(f.body(in.id))
	a.status = f.status()
	return a
}

// finish sends an answer and records it.
func (s *Stripe) finish(w http.ResponseWriter, in incoming, a answer, replayed bool) {
	s.note(in, a.status, replayed)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if key := in.r.Header.Get("Idempotency-Key"); key != "" {
		h.Set("Idempotency-Key", key)
	}
	if replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// note completes the record of a request.
func (s *Stripe) note(in incoming, status int, replayed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.index < len(s.requests) && s.requests[in.index].ID == in.id {
		s.requests[in.index].Status = status
		s.requests[in.index].Replayed = replayed
	}
}

// wait makes a request take as long as it should, and tells whether the caller
// is still there.
func (s *Stripe) wait(ctx context.Context) bool {
	s.mu.Lock()
	latency := s.latency
	s.mu.Unlock()
	if latency <= 0 {
		return true
	}
	timer := time.NewTimer(latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
