package generation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/genai"
)

const (
	// maxAnswerBytes is how large an answer of Gemini's may be, in one piece or
	// streamed. Pictures come in it.
	maxAnswerBytes = 64 << 20
	// maxErrorBytes is how much of a refusal is read.
	maxErrorBytes = 64 << 10
)

// noKey stands where the SDK wants a key: the SDK never learns a real one, and so
// can tell none. See [transport].
const noKey = "set-by-the-transport"

// newGemini returns a client of the SDK. All that the SDK would otherwise look for
// in the environment is given, and so is each thing that is off.
func newGemini(baseURL string, base http.RoundTripper) (*genai.Client, error) {
	return genai.NewClient(context.Background(), &genai.ClientConfig{ //nolint:forbidigo // does no input or output
		APIKey:      noKey,
		Backend:     genai.BackendGeminiAPI,
		HTTPClient:  &http.Client{Transport: &transport{base}, CheckRedirect: stay},
		HTTPOptions: genai.HTTPOptions{BaseURL: baseURL, APIVersion: "v1beta"},
	})
}

// stay follows no redirect: net/http would take our key header along to wherever.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// newBase returns what carries the requests.
func newBase(c *http.Client) http.RoundTripper {
	if c != nil && c.Transport != nil {
		return c.Transport
	}
	if t, ok := http.DefaultTransport.(*http.Transport); ok && c == nil {
		t = t.Clone()
		t.MaxIdleConnsPerHost = 64 // they all go to one host
		return t
	}
	return http.DefaultTransport
}

// exchange is one request to Gemini and its answer: what the SDK does not know,
// and what it would not tell. It travels in the request's context.
type exchange struct {
	key     string
	streams bool
	// expect is a member that a good answer has, "" where any will do. The SDK does
	// not mind, or writes all of the answer to the global logger.
	expect string

	// What came, in order.
	header http.Header
	status int
	body   []byte      // whole, unless it streams
	events *eventQueue // where it streams
}

type exchangeKey struct{}

// begin returns a context for one request by the SDK.
func begin(ctx context.Context, key string, streams bool) (context.Context, *exchange) {
	x := &exchange{key: key, streams: streams}
	return context.WithValue(ctx, exchangeKey{}, x), x
}

// transport gives each request its key, and keeps what comes back as it came: the
// SDK's types drop what they do not know.
type transport struct{ base http.RoundTripper }

var (
	errNoExchange = errors.New("generation: a request that nobody has begun")
	errTooLong    = errors.New("generation: the answer of Gemini is too long")
	errUnexpected = errors.New("generation: the answer is not what it should be")
	errNoStatus   = errors.New("generation: the answer to an upload has no status")
)

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	x, ok := r.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, errNoExchange
	}
	r = r.Clone(r.Context())
	r.Header.Set("X-Goog-Api-Key", x.key)
	x.status = 0 // an upload makes several requests
	res, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	x.status, x.header = res.StatusCode, res.Header
	if err := x.take(r, res); err != nil {
		return nil, err
	}
	return res, nil
}

// take reads the body of a response, or puts it behind what will read its events.
func (x *exchange) take(r *http.Request, res *http.Response) error {
	ok := res.StatusCode >= 200 && res.StatusCode < 300
	if ok && x.streams {
		x.events = newEventQueue(res.Body)
		res.Body = x.events
		return nil
	}
	defer func() { _ = res.Body.Close() }()
	limit := maxAnswerBytes
	if !ok {
		limit = maxErrorBytes
	}
	// What is said of the length is believed up to 64 KiB: memory is for bytes that came.
	buf := bytes.NewBuffer(make([]byte, 0, min(max(res.ContentLength, 0), 64<<10)+bytes.MinRead))
	_, err := buf.ReadFrom(io.LimitReader(res.Body, int64(limit)+1))
	body := buf.Bytes()
	switch {
	case err != nil:
		x.status = 0 // as good as none: another try may have it whole
		return fmt.Errorf("generation: reading the answer: %w", err)
	case len(body) > limit && ok:
		return errTooLong
	}
	x.body = body[:min(len(body), limit)]
	switch {
	case ok && !x.expected():
		return errUnexpected
	case r.Header.Get("X-Goog-Upload-Offset") != "" && res.Header.Get("X-Goog-Upload-Status") == "":
		return errNoStatus // the SDK would try again, and wait by its own clock
	}
	res.Header = keep(res.Header, "Content-Type", "X-Goog-Upload-Status", "X-Goog-Upload-Url")
	res.Body = io.NopCloser(bytes.NewReader(x.body))
	return nil
}

// expected reports whether the answer has what it should.
func (x *exchange) expected() bool {
	if x.expect == "" {
		return true
	}
	var members map[string]json.RawMessage
	return json.Unmarshal(x.body, &members) == nil && members[x.expect] != nil
}

// keep returns the headers that the SDK has a use for.
func keep(h http.Header, names ...string) http.Header {
	kept := make(http.Header, len(names))
	for _, name := range names {
		if v := h.Values(name); v != nil {
			kept[http.CanonicalHeaderKey(name)] = v
		}
	}
	return kept
}
