package payment

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"
	"unicode"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/imadelakhaldev/coglex/service"
)

// maxEventDepth is how deep an event may nest. Stripe's nest about ten levels.
const maxEventDepth = 100

// maxWordBytes is how long a word of an event may be, such as its type.
const maxWordBytes = 255

// eventID is what the id of an event looks like: "evt_1Nv0FG", "evt_test_65R9Ijk".
// Those of other kinds that Stripe may come to send are let in.
var eventID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

// envelope is what all events have in common, those of API v1 and thin ones of v2,
// whatever their version. All but the id may be absent or unlike what is known: an
// event is stored and answered 200 all the same, for Stripe would send what it is
// refused for three days, and in the end turn the endpoint off.
type envelope struct {
	ID         string
	Type       string
	APIVersion string
	Livemode   bool
	ModeKnown  bool // whether the event says what Livemode is
	Account    string
	Created    time.Time // zero where it is not known
	Object     json.RawMessage
}

// parseEnvelope reads an event as Stripe sends it. An error is a *[service.Problem].
func parseEnvelope(body []byte) (e envelope, err error) {
	if tooDeep(body) {
		return e, service.Invalid("body", fmt.Sprintf("is nested more than %d levels deep", maxEventDepth))
	}
	var raw struct {
		ID         jsontext.Value `json:"id"`
		Type       jsontext.Value `json:"type"`
		APIVersion jsontext.Value `json:"api_version"`
		Livemode   jsontext.Value `json:"livemode"`
		Account    jsontext.Value `json:"account"`
		Context    jsontext.Value `json:"context"`
		Created    jsontext.Value `json:"created"`
		Data       jsontext.Value `json:"data"`
	}
	// Names are unique and strings are UTF-8, or no two readers would agree on what
	// the event says (RFC 7493).
	if err := jsonv2.Unmarshal(body, &raw); err != nil || body[firstByte(body)] != '{' {
		return e, service.Invalid("body", "must be an event as JSON")
	}
	id := text(raw.ID)
	if !eventID.MatchString(id) {
		return e, service.Invalid("id", "must be the id of an event")
	}
	return envelope{
		ID: id, Type: text(raw.Type), APIVersion: text(raw.APIVersion), Livemode: raw.Livemode.Kind() == 't', ModeKnown: raw.Livemode.Kind() == 't' || raw.Livemode.Kind() == 'f',
		Account: cmp.Or(text(raw.Account), text(raw.Context)), Created: moment(raw.Created), Object: objectOf(raw.Data),
	}, nil
}

// firstByte returns the index of the first byte that is no white space.
func firstByte(text []byte) int {
	return len(text) - len(bytes.TrimLeft(text, " \t\r\n"))
}

// text returns a string that is a word: printable and not too long; else "".
func text(v jsontext.Value) string {
	if v.Kind() != '"' || len(v) > 6*maxWordBytes+2 {
		return ""
	}
	var word string
	if err := json.Unmarshal(v, &word); err != nil || len(word) > maxWordBytes {
		return ""
	}
	for _, r := range word {
		if !unicode.IsPrint(r) {
			return ""
		}
	}
	return word
}

// moment returns a time in seconds, as events of API v1 have it, or in RFC 3339,
// as those of v2; else, and outside of the years that JSON has, the zero time.
func moment(v jsontext.Value) time.Time {
	if seconds, err := strconv.ParseInt(string(v), 10, 64); err == nil && seconds > 0 && len(v) <= maxTimestampDigits {
		return time.Unix(seconds, 0).UTC()
	}
	t, err := time.Parse(time.RFC3339, text(v))
	if t = t.UTC(); err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t.Truncate(time.Millisecond)
}

// objectOf returns the object in the data of an event as it is, nil where there is
// none.
func objectOf(data jsontext.Value) json.RawMessage {
	var d struct {
		Object json.RawMessage `json:"object"`
	}
	if data.Kind() != '{' || jsonv2.Unmarshal(data, &d) != nil {
		return nil
	}
	return d.Object
}

// tooDeep reports whether brackets outside of strings nest beyond the bound. It
// takes any text, and comes before the decoders, which recurse.
func tooDeep(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
			if c == '\\' {
				i++
			}
		case c == '{' || c == '[':
			if depth++; depth > maxEventDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
