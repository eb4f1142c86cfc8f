package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/event"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex/auth"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

// odd are values that mean something to a database or to a careless program.
func odd() []string {
	return []string{
		`{"$ne":null}`, `{"$gt":""}`, `{"$regex":"."}`, `{"$in":["ada"]}`, `{"$exists":true}`, `{"$where":"1"}`, `{"$expr":true}`,
		`{"\u0024ne":null}`, `{"$oid":"65a000000000000000000001"}`, `{"$date":"2024-01-01T00:00:00Z"}`, `{"$numberLong":"1"}`,
		`{"$code":"1"}`, `{"$binary":{"base64":"","subType":"00"}}`, `{"$regularExpression":{"pattern":".","options":""}}`,
		`{"$minKey":1}`, `{"$function":{"body":"1","args":[],"lang":"js"}}`, `{"_bsontype":"ObjectID"}`, `{"__proto__":{}}`,
		`null`, `true`, `false`, `0`, `1.5`, `[]`, `["ada"]`, `[{"$ne":null}]`, `{}`, `{"$ref":"_USERS","$id":"1"}`,
	}
}

// No member that should be a string takes anything else, wherever it is.
func TestOddValuesInEveryMember(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	in := g.signin("ada")
	bodies := map[string][]string{
		"/join":               {`{"_key":%s}`, `{"_key":"eve","_password":%s}`},
		"/in":                 {`{"_key":%s,"_password":"12345678"}`, `{"_key":"ada","_password":%s}`},
		"/again":              {`{"refresh_token":%s}`},
		"/out":                {`{"refresh_token":%s}`},
		"/pass":               {`{"current":%s,"new":"another horse"}`, `{"current":"correct horse","new":%s}`},
		prefix + "/users/ada": {`{"document":{"_key":%s}}`, `{"document":{"$set":{"_key":%s}}}`, `{"document":{"_password":%s}}`, `{"document":{"$set":{"_password":%s}}}`},
	}
	for path, templates := range bodies {
		for _, template := range templates {
			for _, value := range odd() {
				r := post(path, fmt.Sprintf(template, value))
				r.bearer = in.access
				if strings.HasPrefix(path, prefix) {
					r.method = http.MethodPatch
				}
				a := g.do(r)
				if a.status != http.StatusBadRequest {
					t.Errorf("%s %s: %d %s", path, r.body, a.status, a.text)
				}
			}
		}
	}
	if !g.isIn(in.access) {
		t.Error("the session ended")
	}
}

// What the database thinks of a query tells nothing about the account, and a try
// with a query that it refuses is a try.
func TestQueriesThatTheDatabaseRefuses(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{
		"malformed pattern": `{"name":{"$regex":"("}}`,
		"modulo zero":       `{"n":{"$mod":[0,0]}}`,
		"unknown type":      `{"n":{"$type":"nonsense"}}`,
		"unlike anybody":    `{"n":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, limited())
			g.signup("ada")
			for i, key := range []string{"ada", "eve"} {
				r := post("/in", `{"_key":`+quote(key)+`,"_password":"wrong horse","query":`+query+`}`)
				r.address = fmt.Sprintf("203.0.113.%d:1", i)
				for range 5 {
					g.want(r, http.StatusUnauthorized, "invalid_credentials")
				}
				expect(t, "the sixth of "+key, g.do(r), http.StatusTooManyRequests, time.Second)
			}
			r := post("/in", `{"_key":"ada","_password":`+quote(pass)+`,"query":`+query+`}`)
			r.address = "203.0.113.3:1"
			g.want(r, http.StatusUnauthorized, "invalid_credentials")
		})
	}
}

// A query is put to the user's document only once the password was right: how it
// fares there, its time included, is nothing for others.
func TestQueriesMeetNobodyBeforeTheProof(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	watch := &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, e.Command.Lookup("filter", "_id").String())
	}}
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(dbtest.URI(t)).SetMonitor(watch))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.WithoutCancel(t.Context())) })
	db := client.Database(dbtest.Name())
	t.Cleanup(func() { _ = db.Drop(context.WithoutCancel(t.Context())) })
	g := newGatewayOn(t, db, fast())
	id := g.signup("ada")
	for password, want := range map[string]bool{"wrong horse": false, pass: true} {
		asked = nil
		g.want(post("/in", `{"_key":"ada","_password":`+quote(password)+`,"query":{"n":1}}`), http.StatusUnauthorized, "invalid_credentials")
		if got := slices.Contains(asked, quote(id)); got != want {
			t.Errorf("with %q, the user's document was asked: %t, want %t", password, got, want)
		}
	}
}

// What a query may not do, it may not do in a sign-in, a look-up, an update or a
// deletion, however deep it hides.
func TestQueriesOnlyNarrow(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	g.signup("bob")
	refused := []string{
		`{"_key":"bob"}`, `{"_password":{"$regex":"^\\$2"}}`, `{"_password":{"$exists":true}}`, `{"_identity":"bob"}`, `{"_sessions":{"$exists":true}}`,
		`{"_sessions.x":1}`, `{"_banned":{"$ne":true}}`, `{"_id":{"$ne":1}}`, `{"_role":"admin"}`, `{"_password.0":1}`,
		`{"$or":[{"_key":"bob"}]}`, `{"$and":[{"$or":[{"a":1},{"_password":"x"}]}]}`, `{"$nor":[{"_key":"x"}]}`,
		`{"$expr":{"$eq":["$_key","bob"]}}`, `{"$expr":true}`, `{"a":{"$expr":true}}`, `{"$where":"1"}`, `{"a":{"$where":"1"}}`,
		`{"$jsonSchema":{}}`, `{"$text":{"$search":"x"}}`, `{"$comment":"x"}`, `{"a":{"$function":{}}}`, `{"$alwaysTrue":1}`, `{"$sampleRate":1}`,
		`{"a":{"$elemMatch":{"$where":"1"}}}`, `{"a":{"$not":{"$where":"1"}}}`, `{"a":{"$regex":"` + strings.Repeat("a", 257) + `"}}`,
		`{"a":{"$code":"1"}}`, `{"a":{"$regularExpression":{"pattern":"` + strings.Repeat("a", 257) + `","options":""}}}`, `{"a":{"$symbol":"x"}}`,
		strings.Repeat(`{"$and":[`, 12) + `{"a":1}` + strings.Repeat(`]}`, 12), `{"$or":[]}`, `{"":1}`, `{"a..b":1}`, `{"$set":{"a":1}}`, `{"a":1,"a":2}`,
	}
	for _, query := range refused {
		for _, r := range []request{
			post("/in", `{"_key":"ada","_password":`+quote(pass)+`,"query":`+query+`}`),
			post("/in", `{"_key":"ada","_password":"wrong horse","query":`+query+`}`),
			{method: http.MethodGet, path: prefix + "/users/ada?query=" + url.QueryEscape(query), key: true},
			{method: http.MethodDelete, path: prefix + "/users/ada?query=" + url.QueryEscape(query), key: true},
			{method: http.MethodPatch, path: prefix + "/users/ada?query=" + url.QueryEscape(query), key: true, body: `{"document":{"a":1}}`},
			{method: http.MethodPatch, path: prefix + "/users/ada", key: true, body: `{"document":{"a":1},"query":` + query + `}`},
		} {
			if a := g.do(r); a.status != http.StatusBadRequest {
				t.Errorf("%s %s %s: %d %s", r.method, r.path, query, a.status, a.text)
			}
		}
	}
	if got := g.stored("ada"); got["a"] != nil {
		t.Errorf("stored = %v", got)
	}
}

// No operator writes a reserved field, by whatever path.
func TestReservedFieldsByEveryOperator(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	g.signin("ada")
	before := fmt.Sprint(g.stored("ada"))
	operators := []string{"$set", "$unset", "$inc", "$mul", "$min", "$max", "$push", "$addToSet", "$pull", "$currentDate", "$rename", "$setOnInsert", "$pop", "$pullAll", "$bit"}
	fields := []string{"_id", "_identity", "_sessions", "_sessions.x", "_inserted", "_patched", "_banned", "_role", "_password.x", "_key.x", "_", "_version"}
	values := []string{`1`, `"x"`, `true`, `{"a":1}`, `["x"]`, `{"$each":["x"]}`}
	for _, operator := range operators {
		for _, field := range fields {
			value := values[(len(operator)+len(field))%len(values)]
			body := `{"document":{` + quote(operator) + `:{"ok":` + value + `,` + quote(field) + `:` + value + `}}}`
			a := g.do(request{method: http.MethodPatch, path: prefix + "/users/ada", key: true, body: body})
			if a.status != http.StatusBadRequest {
				t.Errorf("%s: %d %s", body, a.status, a.text)
			}
		}
	}
	for _, field := range fields {
		for _, body := range []string{
			`{"document":{` + quote(field) + `:1}}`,
			`{"document":{"$rename":{"ok":` + quote(field) + `}}}`,
			`{"document":{"$set":{"a":1},"$set":{` + quote(field) + `:1}}}`,
			`{"document":{"` + strings.ReplaceAll(field, "_", `\u005f`) + `":1}}`,
		} {
			if a := g.do(request{method: http.MethodPatch, path: prefix + "/users/ada", key: true, body: body}); a.status != http.StatusBadRequest {
				t.Errorf("%s: %d %s", body, a.status, a.text)
			}
		}
	}
	if after := fmt.Sprint(g.stored("ada")); after != before {
		t.Errorf("changed:\n%s\n%s", before, after)
	}
}

func TestBodiesThatHurt(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	in := g.signin("ada")
	deep := strings.Repeat(`{"a":`, 2_000) + "1" + strings.Repeat("}", 2_000)
	big := strings.Repeat("x", 2<<20)
	bodies := map[string]struct {
		body   string
		status []int
	}{
		"2 MB key":          {`{"_key":"` + big + `"}`, []int{413}},
		"2 MB of blanks":    {strings.Repeat(" ", 2<<20) + `{}`, []int{413}},
		"deep document":     {`{"document":` + deep + `}`, []int{400}},
		"deep key":          {`{"_key":` + deep + `}`, []int{400}},
		"deep array":        {strings.Repeat("[", 2_000), []int{400}},
		"duplicate member":  {`{"_key":"a","_key":"b"}`, []int{400}},
		"duplicate in deep": {`{"document":{"a":{"b":1,"b":2}}}`, []int{400}},
		"not JSON":          {`_key=ada`, []int{400}},
		"cut":               {`{"_key":"ada"`, []int{400}},
		"two values":        {`{} {}`, []int{400}},
		"NaN":               {`{"document":{"a":NaN}}`, []int{400}},
		"lone surrogate":    {`{"_key":"\ud800"}`, []int{400}},
		"invalid UTF-8":     {"{\"_key\":\"\xff\"}", []int{400}},
		"empty":             {" ", []int{400}},
		"array":             {`[]`, []int{400}},
		"null":              {`null`, []int{400}},
	}
	for name, test := range bodies {
		for _, path := range []string{"/join", "/in", "/again", "/pass", "/out", prefix + "/users/ada"} {
			r := post(path, test.body)
			r.bearer = in.access
			if strings.HasPrefix(path, prefix) {
				r.method = http.MethodPatch
			}
			if a := g.do(r); !slices.Contains(test.status, a.status) {
				t.Errorf("%s at %s: %d %.200s", name, path, a.status, a.text)
			}
		}
	}
	for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonx"} {
		r := post("/in", signinBody("ada", pass))
		r.header = map[string]string{"Content-Type": media}
		g.want(r, http.StatusUnsupportedMediaType, "unsupported_media_type")
	}
	if !g.isIn(in.access) {
		t.Error("the session ended")
	}
}

// A user's document is read at each of their requests, so nobody may fill it.
func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	in := g.signin("ada")
	const small = 16 << 10
	for _, test := range []struct {
		method, path, body string
		limit              int
	}{
		{http.MethodPost, "/join", `{"_key":"eve","document":{"a":""}}`, auth.MaxBody},
		{http.MethodPatch, prefix + "/users/ada", `{"document":{"a":""}}`, auth.MaxBody},
		{http.MethodPost, "/in", signinBody("ada", "wrong horse"), small},
		{http.MethodPost, "/again", `{"refresh_token":"x"}`, small},
		{http.MethodPost, "/pass", `{"current":"wrong horse","new":"another horse"}`, small},
		{http.MethodPost, "/out", `{"refresh_token":"x"}`, small},
		{http.MethodDelete, prefix + "/users/nobody", `{"query":{"a":1}}`, small},
	} {
		r := request{method: test.method, path: test.path, bearer: in.access, key: strings.HasPrefix(test.path, prefix)}
		r.body = test.body + strings.Repeat(" ", test.limit-len(test.body))
		if a := g.do(r); a.status == http.StatusRequestEntityTooLarge {
			t.Errorf("%s %s: %d bytes are too many", test.method, test.path, test.limit)
		}
		r.body += " "
		g.want(r, http.StatusRequestEntityTooLarge, "too_large")
	}
}

func TestUnknownQueryParameters(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fast())
	g.signup("ada")
	in := g.signin("ada")
	for _, r := range []request{
		post("/join?a=1", signinBody("eve", pass)), post("/in?_key=ada", signinBody("ada", pass)), post("/again?x=1", `{"refresh_token":`+quote(in.refresh)+`}`),
		{method: http.MethodGet, path: "/who?user=bob", bearer: in.access},
		{method: http.MethodGet, path: "/devices?limit=1", bearer: in.access},
		{method: http.MethodDelete, path: "/devices/x?all=1", bearer: in.access},
		post("/pass?x=1", `{"current":"correct horse","new":"another horse"}`),
		{method: http.MethodGet, path: prefix + "/users/ada?password=1", key: true},
		{method: http.MethodGet, path: prefix + "/users/ada?a;b", key: true},
	} {
		if r.path == "/pass?x=1" {
			r.bearer = in.access
		}
		g.want(r, http.StatusBadRequest, "invalid")
	}
}

// No answer, log or event of a failure holds what was presented.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	o := fast()
	o.Logger = log.logger()
	g := newGateway(t, o)
	g.signup("ada")
	in := g.signin("ada")
	const word = "hunter2-the-password"
	answers := []answer{
		g.do(post("/join", signinBody("ada", word))),
		g.do(post("/join", `{"_key":"x","_password":"`+strings.Repeat(word, 9)+`"}`)),
		g.do(post("/in", signinBody("ada", word))),
		g.do(post("/in", `{"_key":"ada","_password":{"`+word+`":1}}`)),
		g.do(again(word)),
		g.do(request{method: http.MethodGet, path: "/me", bearer: word}),
		g.do(request{method: http.MethodGet, path: "/me", cookie: "coglex-_USERS=" + word}),
		g.do(request{method: http.MethodPost, path: "/pass", bearer: in.access, body: `{"current":"` + word + `","new":"another horse"}`}),
		g.do(request{method: http.MethodPatch, path: prefix + "/users/ada", key: true, body: `{"document":{"_password":["` + word + `"]}}`}),
	}
	for i, a := range answers {
		if a.status < 400 || i != 3 && strings.Contains(a.text, word) {
			t.Errorf("answer %d: %d %s", i, a.status, a.text)
		}
	}
	g.want(request{method: http.MethodPatch, path: prefix + "/users/ada", key: true, body: `{"document":{"_password":"` + word + `"}}`}, http.StatusOK, "")
	g.want(post("/in", signinBody("ada", word)), http.StatusOK, "")
	for _, e := range g.events.Events() {
		if text := fmt.Sprintf("%+v", e); strings.Contains(text, word) {
			t.Errorf("an event holds the password: %s", text)
		}
	}
	if strings.Contains(log.String(), word) {
		t.Errorf("the log holds the password: %s", log.String())
	}
}
