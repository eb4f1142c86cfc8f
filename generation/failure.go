package generation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"google.golang.org/genai"
)

// refusal is the body of an error of Gemini's (google.rpc.Status as JSON).
type refusal struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Status  string `json:"status"`
	Details []struct {
		Reason     string `json:"reason"`     // of an ErrorInfo
		RetryDelay string `json:"retryDelay"` // of a RetryInfo, "17s"
	} `json:"details"`
}

// failure returns what an error of the SDK means. The SDK's own words are not in
// it: they may hold what was said.
func (x *exchange) failure(ctx context.Context, err error, ownKey bool) error {
	event, inStream := errors.AsType[genai.APIError](err)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("generation: %w", ctx.Err())
	case x.status >= 300 || x.status != 0 && x.status < 200:
		return x.refused(x.refusal(), x.status, ownKey)
	case inStream:
		return x.refused(refusalOf(event), event.Code, ownKey)
	case errors.Is(err, errTooLong), errors.Is(err, errUnexpected), errors.Is(err, errPanicked), errors.Is(err, errVectors), errors.Is(err, errNoStatus):
		return &UpstreamError{Message: err.Error(), OwnKey: ownKey, final: true}
	case x.status == 0:
		return &UpstreamError{Message: clean(err.Error(), x.key), OwnKey: ownKey}
	case x.events.broken() != nil:
		return &UpstreamError{Message: clean(x.events.broken().Error(), x.key), OwnKey: ownKey}
	}
	return &UpstreamError{Status: x.status, Message: notUnderstood, OwnKey: ownKey, final: true}
}

// refusal returns the error that came as the body.
func (x *exchange) refusal() refusal {
	var body struct{ Error refusal }
	if json.Unmarshal(x.body, &body) != nil {
		return refusal{} // a proxy's, most likely
	}
	return body.Error
}

// refusalOf returns an error that came as an event of a stream.
func refusalOf(e genai.APIError) refusal {
	var r refusal
	text, err := json.Marshal(e)
	if err != nil || json.Unmarshal(text, &r) != nil {
		return refusal{Message: e.Message, Status: e.Status}
	}
	return r
}

func (x *exchange) refused(r refusal, status int, ownKey bool) error {
	e := &UpstreamError{Status: status, Reason: word(r.Status), Message: clean(r.Message, x.key), OwnKey: ownKey}
	e.RetryAfter = retryAfter(x.header)
	e.KeyRefused = status == http.StatusUnauthorized || status == http.StatusForbidden
	for _, d := range r.Details {
		if wait, err := time.ParseDuration(d.RetryDelay); err == nil && wait > 0 {
			e.RetryAfter = max(e.RetryAfter, min(wait, maxRetryAfter))
		}
		if strings.HasPrefix(d.Reason, "API_KEY_") {
			e.KeyRefused = true
		}
	}
	return e
}

// word returns one of Gemini's words in capitals, and "" for anything else.
func word(text string) string {
	for _, c := range []byte(text) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return ""
		}
	}
	if len(text) > 64 {
		return ""
	}
	return text
}

// maxMessage is how much of a text that is not ours an error keeps.
const maxMessage = 300

// clean returns a text that is not ours such that a log can have it: short, on one
// line, and without the key.
func clean(text, key string) string {
	if key != "" {
		text = strings.ReplaceAll(text, key, "[key]")
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "…"
	}
	return text
}

// notUnderstood is said of an answer in place of what the SDK says, which may have
// all of it in it.
const notUnderstood = "the answer is not understood"
