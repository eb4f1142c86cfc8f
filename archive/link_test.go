package archive_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/archive/archivetest"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

// clock is a time that tests move.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time        { return time.Unix(0, c.at.Load()) }
func (c *clock) move(by time.Duration) { c.at.Add(int64(by)) }

// open sends a request without the API key.
func (g *gateway) open(method, address, body string, headers ...string) answer {
	g.Helper()
	r := httptest.NewRequestWithContext(g.Context(), method, address, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return g.send(r)
}

// link returns the address that a route made.
func (a answer) link() string {
	a.Helper()
	var l struct{ URL string }
	if err := json.Unmarshal([]byte(a.want(http.StatusOK).body), &l); err != nil || l.URL == "" {
		a.Fatal(a.body, err)
	}
	if a.header.Get("Cache-Control") != "no-store" {
		a.Error(a.header)
	}
	return l.URL
}

func TestALinkOpensOneFile(t *testing.T) {
	t.Parallel()
	clock := newClock()
	g := newGateway(t, &archive.Options{Secret: secret, Now: clock.now})
	f := g.put("a.png", png+"hello")
	address := g.do("POST", "/"+f.ID+"/link", "").link()
	a := g.open("GET", address, "").want(200)
	if a.body != png+"hello" || a.header.Get("Referrer-Policy") != "no-referrer" || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
		t.Error(a.header)
	}
	g.open("HEAD", address, "").want(200)
	g.open("GET", address, "", "Range", "bytes=0-3").want(206)
	g.open("POST", address, "").want(http.StatusMethodNotAllowed)
	g.open("DELETE", address, "").want(http.StatusMethodNotAllowed)
	inline := g.do("POST", "/"+f.ID+"/link", `{"inline": true, "expires_in": 60}`).link()
	if a := g.open("GET", inline, "").want(200); !strings.HasPrefix(a.header.Get("Content-Disposition"), "inline") {
		t.Error(a.header)
	}
	g.open("GET", address+"&inline=1", "").refused(400, "invalid", "inline")
	clock.move(59 * time.Second)
	g.open("GET", inline, "").want(200)
	clock.move(time.Second)
	g.open("GET", inline, "").refused(403, "link_expired", "")
	g.open("GET", address, "").want(200)
	g.do("DELETE", "/"+f.ID, "").want(200)
	g.open("GET", address, "").refused(404, "not_found", "")
	clock.move(time.Hour)
	g.open("GET", address, "").refused(403, "link_expired", "")
}

func TestALinkCannotBeForged(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &archive.Options{Secret: secret})
	mine, other := g.put("a.txt", "mine"), g.put("b.txt", "other")
	address := g.do("POST", "/"+mine.ID+"/link", "").link()
	ticket := g.do("POST", "/tickets", "").link()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	token := u.Query().Get("token")
	pieces := strings.Split(token, ".")
	claims, err := base64.RawURLEncoding.DecodeString(pieces[1])
	if err != nil {
		t.Fatal(err)
	}
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	ticketURL, _ := url.Parse(ticket)
	foreign := newGateway(t, &archive.Options{Secret: strings.Repeat("y", 32)})
	theirs := foreign.put("a.txt", "theirs")
	foreignURL, _ := url.Parse(foreign.do("POST", "/"+theirs.ID+"/link", "").link())
	for name, row := range map[string]struct{ id, token string }{
		"none":                         {mine.ID, ""},
		"no dots":                      {mine.ID, "token"},
		"dots":                         {mine.ID, "..."},
		"another file":                 {other.ID, token},
		"a file that is none":          {"ffffffffffffffffffffffff", token},
		"another id inside":            {other.ID, pieces[0] + "." + encode(strings.Replace(string(claims), mine.ID, other.ID, 1)) + "." + pieces[2]},
		"a later end":                  {mine.ID, pieces[0] + "." + encode(strings.Replace(string(claims), `"e":1`, `"e":9`, 1)) + "." + pieces[2]},
		"inline":                       {mine.ID, pieces[0] + "." + encode(strings.TrimSuffix(string(claims), "}")+`,"d":true}`) + "." + pieces[2]},
		"no signature":                 {mine.ID, pieces[0] + "." + pieces[1] + "."},
		"a signature cut off":          {mine.ID, token[:len(token)-1]},
		"a signature with more":        {mine.ID, token + "A"},
		"a signature of another key":   {theirs.ID, foreignURL.Query().Get("token")},
		"another key's id":             {mine.ID, "00000000." + pieces[1] + "." + pieces[2]},
		"a ticket":                     {mine.ID, ticketURL.Query().Get("token")},
		"padding":                      {mine.ID, token + "="},
		"a line break":                 {mine.ID, token[:20] + "\n" + token[20:]},
		"a megabyte":                   {mine.ID, token + strings.Repeat("x", 1<<20)},
		"the key of the API":           {mine.ID, apiKey},
		"an id with a signature of ..": {"..", token},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := prefix + "/links/" + url.PathEscape(row.id)
			if row.token != "" {
				at += "?token=" + url.QueryEscape(row.token)
			}
			g.on(t).open("GET", at, "").refused(403, "link_invalid", "")
		})
	}
	g.open("POST", prefix+"/tickets/"+mine.ID+"?token="+url.QueryEscape(token), "").refused(403, "link_invalid", "")
	g.open("GET", address, "").want(200)
}

func TestSecretsCanBeReplaced(t *testing.T) {
	t.Parallel()
	db, store := dbtest.Database(t), archivetest.Memory()
	old := newGatewayOn(t, db, store, &archive.Options{Secret: secret})
	f := old.put("a.txt", "hello")
	address := old.do("POST", "/"+f.ID+"/link", "").link()
	both := newGatewayOn(t, db, store, &archive.Options{Secret: strings.Repeat("n", 32), OldSecrets: []string{secret}})
	both.open("GET", address, "").want(200)
	next := both.do("POST", "/"+f.ID+"/link", "").link()
	alone := newGatewayOn(t, db, store, &archive.Options{Secret: strings.Repeat("n", 32)})
	alone.open("GET", address, "").refused(403, "link_invalid", "")
	alone.open("GET", next, "").want(200)
	off := newGatewayOn(t, db, store, nil)
	off.open("GET", next, "").want(404)
	off.do("POST", "/"+f.ID+"/link", "").want(404)
	if _, err := off.files.Link(t.Context(), f.ID, nil); !errors.Is(err, archive.ErrLinksOff) {
		t.Error(err)
	}
	if _, err := off.files.Ticket(t.Context(), nil); !errors.Is(err, archive.ErrLinksOff) {
		t.Error(err)
	}
}

func TestLinksSayWhereTheyLead(t *testing.T) {
	t.Parallel()
	files, err := archive.New(dbtest.Database(t), archivetest.Memory(), &archive.Options{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	app, err := coglex.New(apiKey, &coglex.Options{BaseURL: "https://api.example.com/", NoAccessLog: true})
	if err != nil {
		t.Fatal(err)
	}
	g := newGateway(t, nil)
	if err := app.MountWith(g.echo.Group("/x"), files, coglex.MountOptions{Prefix: "/files"}); err != nil {
		t.Fatal(err)
	}
	f, err := files.Put(t.Context(), "a", strings.NewReader("b"), &archive.PutOptions{Collection: "things"})
	if err != nil {
		t.Fatal(err)
	}
	link, err := files.Link(t.Context(), f.ID, nil)
	if want := "https://api.example.com/x/files/links/" + f.ID + "?token="; err != nil || !strings.HasPrefix(link.URL, want) {
		t.Errorf("%s, %v", link.URL, err)
	}
	g.open("GET", link.URL, "").want(200)
	for _, d := range []time.Duration{-1, archive.MaxExpires + 1, time.Millisecond} {
		if _, err := files.Link(t.Context(), f.ID, &archive.LinkOptions{Expires: d}); err == nil {
			t.Errorf("%s is taken", d)
		}
	}
	if _, err := files.Link(t.Context(), "ffffffffffffffffffffffff", nil); !errors.Is(err, archive.ErrNotFound) {
		t.Error(err)
	}
}

func TestWhoAsksForALinkIsHeldToTheForm(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &archive.Options{Secret: secret, MaxBytes: 100})
	f := g.upload("/upload/things", file("a", "b")).file()
	g.do("POST", "/"+f.ID+"/link", "").refused(404, "not_found", "")
	g.do("POST", "/"+f.ID+"/link", `{"collection": "things"}`).link()
	for _, body := range []string{`{"expires_in": -1}`, `{"expires_in": 604801}`, `{"x": 1}`, `{"inline": "yes"}`, `[]`, `{"collection": "a.b"}`} {
		g.do("POST", "/"+f.ID+"/link", body).want(400)
	}
	for _, body := range []string{
		`{"max_bytes": 101}`, `{"max_bytes": -1}`, `{"types": ["*/*"]}`, `{"types": ["image"]}`, `{"types": ["a/b"` + strings.Repeat(`, "a/b"`, 32) + `]}`, `{"expires_in": 604801}`, `{"metadata": {"$a": 1}}`,
		`{"metadata": {"a": "` + strings.Repeat("x", 5000) + `"}}`, `{"collection": "9"}`,
	} {
		if a := g.do("POST", "/tickets", body); a.status != 400 {
			t.Errorf("%s: %d", body, a.status)
		}
	}
}

func TestATicketMakesOneFile(t *testing.T) {
	t.Parallel()
	clock := newClock()
	g := newGateway(t, &archive.Options{Secret: secret, Now: clock.now})
	address := g.do("POST", "/tickets", `{"collection": "things", "max_bytes": 100, "types": ["image/*"], "name": "me.png", "metadata": {"owner": "u1"}}`).link()
	send := func(parts ...part) answer {
		body, contentType := form(parts...)
		return g.open("POST", address, body, "Content-Type", contentType)
	}
	send(file("a.txt", "hello")).refused(415, "type_refused", "")
	send(file("a.png", png+strings.Repeat("x", 100))).refused(413, "file_too_large", "")
	send(metadata(`{"owner": "u2"}`), file("a.png", png)).refused(400, "invalid", "metadata")
	send(file("a.png", png), metadata(`{"owner": "u2"}`)).refused(400, "invalid", "metadata")
	send().refused(400, "file_required", "")
	g.empty()
	a := send(file("evil.png", png))
	f := a.file()
	if f.Name != "me.png" || f.Metadata.Lookup("owner").StringValue() != "u1" || a.header.Get("Location") != prefix+"/download/things/"+f.ID {
		t.Error(a.body, a.header)
	}
	send(file("a.png", png)).refused(409, "ticket_used", "")
	g.do("GET", "/download/things/"+f.ID, "").want(200)
	if n := len(g.keys()); n != 1 {
		t.Errorf("%d files", n)
	}
	other := strings.Replace(address, "tickets/", "tickets/0", 1)
	g.open("POST", other, "x").refused(403, "link_invalid", "")
	clock.move(time.Hour)
	send(file("a.png", png)).refused(403, "link_expired", "")
}

// A ticket may have been made when the gateway took more.
func TestATicketOpensNoMoreThanTheGateway(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &archive.Options{Secret: secret})
	address := g.do("POST", "/tickets", `{"max_bytes": 1000}`).link()
	strict := newGatewayOn(t, g.db, g.store, &archive.Options{Secret: secret, MaxBytes: 100, Types: []string{"image/*"}})
	send := func(p part) answer {
		body, contentType := form(p)
		return strict.open("POST", address, body, "Content-Type", contentType)
	}
	send(file("a.txt", "hello")).refused(415, "type_refused", "")
	send(file("a.png", png+strings.Repeat("x", 100))).refused(413, "file_too_large", "")
	send(file("a.png", png)).want(201)
}

// A ticket that is used refuses before the bytes are kept.
func TestAUsedTicketKeepsNothing(t *testing.T) {
	t.Parallel()
	var kept atomic.Int64
	g := newGatewayOn(t, dbtest.Database(t), archivetest.Faulty(archivetest.Memory(), archivetest.Faults{
		Created: func(context.Context, string) error { kept.Add(1); return nil },
	}), &archive.Options{Secret: secret})
	address := g.do("POST", "/tickets", "").link()
	body, contentType := form(file("a.txt", "hello"))
	g.open("POST", address, body, "Content-Type", contentType).want(201)
	g.open("POST", address, body, "Content-Type", contentType).refused(409, "ticket_used", "")
	if kept.Load() != 1 {
		t.Errorf("%d uploads were kept", kept.Load())
	}
}

func TestALinkShowsOnlyWhatIsHarmless(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &archive.Options{Secret: secret})
	f := g.put("a.html", "<html><script>alert(1)</script>")
	a := g.open("GET", g.do("POST", "/"+f.ID+"/link", `{"inline": true}`).link(), "").want(200)
	if !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") || a.header.Get("Content-Security-Policy") != "default-src 'none'; sandbox" {
		t.Error(a.header)
	}
}

func TestOfRacingTicketsOneMakesAFile(t *testing.T) {
	t.Parallel()
	var g *gateway
	var arrived sync.WaitGroup
	const racers = 8
	arrived.Add(racers)
	g = newGatewayOn(t, dbtest.Database(t), archivetest.Faulty(archive.Disk(t.TempDir()), archivetest.Faults{
		// All bytes are there before the first ticket is spent.
		Created: func(context.Context, string) error { arrived.Done(); arrived.Wait(); return nil },
	}), &archive.Options{Secret: secret})
	address := g.do("POST", "/tickets", "").link()
	var made, used atomic.Int64
	var wg sync.WaitGroup
	for range racers {
		wg.Go(func() {
			body, contentType := form(file("a.txt", "hello"))
			switch a := g.open("POST", address, body, "Content-Type", contentType); a.status {
			case 201:
				made.Add(1)
			case 409:
				used.Add(1)
			default:
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 || used.Load() != racers-1 || len(g.keys()) != 1 {
		t.Errorf("%d made, %d used, %d in the store", made.Load(), used.Load(), len(g.keys()))
	}
	if n, err := g.db.Collection("_ARCHIVE").CountDocuments(t.Context(), bson.D{}); n != 1 || err != nil {
		t.Error(n, err)
	}
}
