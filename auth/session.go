package auth

import (
	"cmp"
	"crypto/rand"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/bson"
)

// Session is one sign-in, on one device, until it ends.
type Session struct {
	// ID names the session. Knowing it opens nothing.
	ID string `json:"_id"`
	// Created and Expires are in UTC. Expires does not move with use.
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	// Address is where the sign-in came from, and Agent is what the client called
	// itself, cut to 256 bytes. Both may be empty.
	Address string `json:"address"`
	Agent   string `json:"agent"`
	// Current is set in a list for the session that the request belongs to.
	Current bool `json:"current,omitempty"`

	generation int64     // of the refresh token that is good now
	rotated    time.Time // when it became so
}

// Client is where a request comes from.
type Client struct {
	// Address is the client's address, as middleware.ClientAddress returns it.
	// Without one, limits by address do not apply.
	Address string
	// Agent is what the client calls itself.
	Agent string
}

const (
	maxAgentBytes   = 256
	maxAddressBytes = 64
)

// stored is a session in the user's document, below _sessions.<id>.
type stored struct {
	Created    time.Time `bson:"created"`
	Expires    time.Time `bson:"expires"`
	Address    string    `bson:"address"`
	Agent      string    `bson:"agent"`
	Generation int64     `bson:"generation"`
	Rotated    time.Time `bson:"rotated"`
}

// sessionID is what newSessionID makes, and all that ever becomes part of a
// field's path.
var sessionID = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// newSessionID returns 130 random bits in 26 letters and digits.
func newSessionID() string { return rand.Text() }

// newSession returns a session that begins now.
func (s *Service) newSession(client Client, now time.Time) Session {
	return Session{
		ID: newSessionID(), Created: now, Expires: now.Add(s.opts.SessionLifetime).Truncate(time.Millisecond),
		Address: printable(client.Address, maxAddressBytes), Agent: printable(client.Agent, maxAgentBytes),
		rotated: now,
	}
}

func (s Session) stored() stored {
	return stored{
		Created: s.Created, Expires: s.Expires, Address: s.Address, Agent: s.Agent,
		Generation: s.generation, Rotated: s.rotated,
	}
}

// over reports whether the session has ended by itself.
func (s Session) over(now time.Time) bool { return !now.Before(s.Expires) }

// path returns the path of a session in the user's document.
func path(id string, more ...string) string {
	return strings.Join(append([]string{fieldSessions, id}, more...), ".")
}

// sessions returns all sessions of a user, the oldest first, whether they are
// over or not.
func (r record) sessions() []Session {
	doc, ok := r.raw.Lookup(fieldSessions).DocumentOK()
	if !ok {
		return nil
	}
	elements, err := doc.Elements()
	if err != nil {
		return nil
	}
	var all []Session
	for _, e := range elements {
		if s, ok := parseSession(e.Key(), e.Value()); ok {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Session) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
	return all
}

// session returns one session of a user, unless it is over.
func (r record) session(id string, now time.Time) (Session, bool) {
	if !sessionID.MatchString(id) {
		return Session{}, false
	}
	s, ok := parseSession(id, r.raw.Lookup(fieldSessions, id))
	return s, ok && !s.over(now)
}

func parseSession(id string, value bson.RawValue) (Session, bool) {
	if value.Type != bson.TypeEmbeddedDocument || !sessionID.MatchString(id) {
		return Session{}, false
	}
	doc := value.Document()
	address, _ := doc.Lookup("address").StringValueOK()
	agent, _ := doc.Lookup("agent").StringValueOK()
	generation, _ := doc.Lookup("generation").AsInt64OK()
	return Session{
		ID: id, Created: timeOf(doc.Lookup("created")), Expires: timeOf(doc.Lookup("expires")),
		Address: address, Agent: agent, generation: generation, rotated: timeOf(doc.Lookup("rotated")),
	}, true
}

// printable cuts a client's text to a length and drops what does not print.
func printable(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text[:min(len(text), 4*limit)])
	for len(text) > limit {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}
