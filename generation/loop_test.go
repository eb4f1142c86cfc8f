package generation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/generation"
	"github.com/imadelakhaldev/coglex/generation/generationtest"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals"
)

// city is the argument of most calls.
func city(name string) map[string]any { return map[string]any{"city": name} }

// ask is a request with one text and a toolset.
func ask(set generation.Toolset) generation.Request {
	return generation.Request{Contents: []generation.Content{generation.User(generation.Text("hi"))}, Toolset: set}
}

// responses returns what Gemini was told of the functions in its last request, as
// "name id response".
func (g *gateway) responses() []string {
	g.Helper()
	all := g.gemini.Requests(generationtest.OpGenerate, generationtest.OpStream)
	var body struct {
		Contents []generation.Content
	}
	if err := json.Unmarshal(all[len(all)-1].Body, &body); err != nil {
		g.Fatal(err)
	}
	return responsesIn(g.T, body.Contents[len(body.Contents)-1])
}

func responsesIn(t *testing.T, c generation.Content) []string {
	t.Helper()
	var out []string
	for _, p := range c.Parts {
		var part struct {
			FunctionResponse struct {
				ID, Name string
				Response json.RawMessage
			}
		}
		if err := json.Unmarshal(p, &part); err != nil {
			t.Fatal(err)
		}
		f := part.FunctionResponse
		out = append(out, f.Name+" "+f.ID+" "+string(f.Response))
	}
	return out
}

// called collects what is told of the functions of a gateway, sorted.
func (g *gateway) called() func() []string {
	var mu sync.Mutex
	var all []string
	signals.Subscribe(g.app.Signals(), func(_ context.Context, e generation.ToolCalled) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, fmt.Sprintf("%d %s %s %s", e.Round, e.Name, e.Outcome, e.UserID))
		return nil
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(all)
		return all
	}
}

func TestGeminiCallsFunctionsInRounds(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	called := g.called()
	usage := generationtest.Used(generationtest.Usage{Input: 10, Output: 5, Cached: 2, Thoughts: 1})
	g.gemini.Enqueue(
		generationtest.Stream(usage, generationtest.Call("getWeather", city("Paris"))),
		generationtest.Stream(usage, generationtest.Chunk(generationtest.Call("getWeather", city("Rome")), generationtest.Call("getWeather", city("Oslo")))),
		generationtest.Stream(usage, generationtest.Text("It is 21 degrees everywhere.")),
	)
	reply, err := g.gen.Converse(t.Context(), ask(tools{"getWeather": weather}))
	if err != nil {
		t.Fatal(err)
	}
	if len(reply.Parts) != 1 || reply.Parts[0].Text() != "It is 21 degrees everywhere." || reply.FinishReason != "STOP" {
		t.Errorf("got %s, %s", reply.Parts, reply.FinishReason)
	}
	if diff := cmp.Diff(generation.Usage{Input: 30, Output: 15, Cached: 6, Thoughts: 3, Total: 48}, reply.Usage); diff != "" {
		t.Error(diff)
	}
	var roles []string
	for _, c := range reply.History {
		roles = append(roles, c.Role)
	}
	if diff := cmp.Diff([]string{"model", "user", "model", "user", "model"}, roles); diff != "" {
		t.Fatal(diff)
	}
	want := []string{`getWeather standin-2-1 {"output":{"city":"Rome","degrees":21}}`, `getWeather standin-2-2 {"output":{"city":"Oslo","degrees":21}}`}
	if diff := cmp.Diff(want, responsesIn(t, reply.History[3])); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, g.responses()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1 getWeather ok ", "2 getWeather ok ", "2 getWeather ok "}, called()); diff != "" {
		t.Error(diff)
	}
	if got := len(g.gemini.Requests(generationtest.OpGenerate)); got != 3 {
		t.Errorf("%d requests", got)
	}
}

func TestTheModelsPartsGoBackByteForByte(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	const part = `{"functionCall":{"name":"getWeather","id":"x","args":{"city":"Paris","n":1.50,"big":12345678901234567890}},"thoughtSignature":"c2lnbmVk","unheardOf":{"a":[1]}}`
	g.gemini.Enqueue(
		generationtest.Raw(http.StatusOK, "application/json", `{"candidates":[{"content":{"role":"model","parts":[`+part+`]},"finishReason":"STOP"}]}`),
		generationtest.Text("ok"),
	)
	reply, err := g.gen.Converse(t.Context(), ask(tools{"getWeather": weather}))
	if reply == nil {
		t.Fatal(err) // the double refuses what it has not heard of, after it was sent
	}
	if got := string(reply.History[0].Parts[0]); got != part {
		t.Errorf("the history has %s", got)
	}
	all := g.gemini.Requests(generationtest.OpGenerate)
	if body := string(all[len(all)-1].Body); !strings.Contains(body, `"n":1.50,"big":12345678901234567890}},"thoughtSignature":"c2lnbmVk","unheardOf":{"a":[1]}`) {
		t.Errorf("Gemini got back %s", body)
	}
}

func TestParallelCallsRunTogetherAndApart(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	called := g.called()
	var together sync.WaitGroup
	together.Add(4)
	meet := func() { together.Done(); together.Wait() } // hangs unless all are there at once
	set := tools{
		"getWeather": func(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
			meet()
			return weather(ctx, args)
		},
		"fail": func(context.Context, json.RawMessage) (json.RawMessage, error) {
			meet()
			return nil, errors.New("not today")
		},
		"panic": func(context.Context, json.RawMessage) (json.RawMessage, error) { meet(); panic("secret") },
		"exit": func(context.Context, json.RawMessage) (json.RawMessage, error) {
			meet()
			runtime.Goexit()
			return nil, nil
		},
	}
	g.gemini.Enqueue(generationtest.Chunk(
		generationtest.Call("panic", nil), generationtest.Call("fail", nil), generationtest.Call("getWeather", city("Rome")), generationtest.Call("exit", nil),
	), generationtest.Text("ok"))
	if _, err := g.gen.Converse(t.Context(), ask(set)); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`panic standin-1-1 {"error":"the function failed"}`,
		`fail standin-1-2 {"error":"not today"}`,
		`getWeather standin-1-3 {"output":{"city":"Rome","degrees":21}}`,
		`exit standin-1-4 {"error":"the function failed"}`,
	}
	if diff := cmp.Diff(want, g.responses()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1 exit panicked ", "1 fail failed ", "1 getWeather ok ", "1 panic panicked "}, called()); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(g.logs.String(), "secret") {
		t.Error("the panic is not in the log")
	}
}

func TestWhatCannotBeCalledIsAnswered(t *testing.T) {
	t.Parallel()
	large := json.RawMessage(`"` + strings.Repeat("x", generation.MaxToolResultBytes) + `"`)
	returning := func(text json.RawMessage) tools {
		return tools{"getWeather": func(context.Context, json.RawMessage) (json.RawMessage, error) { return text, nil }}
	}
	tests := map[string]struct {
		set  tools
		call generationtest.Reply
		want string
		told string
	}{
		"a function that there is not": {tools{"getWeather": weather}, generationtest.Call("rm -rf", nil), `rm -rf standin-1-1 {"error":"function_unknown: There is no such function."}`, "1  refused "},
		"bad arguments":                {tools{"getWeather": weather}, generationtest.Call("getWeather", nil), `getWeather standin-1-1 {"error":"invalid: city is missing"}`, "1 getWeather failed "},
		"a result that is too large":   {returning(large), generationtest.Call("getWeather", nil), `getWeather standin-1-1 {"error":"the result is too large: it has 65538 bytes, and 65536 is the most; ask for less"}`, "1 getWeather too_large "},
		"a result that is no JSON":     {returning([]byte("oops")), generationtest.Call("getWeather", nil), `getWeather standin-1-1 {"error":"the function failed"}`, "1 getWeather panicked "},
		"a number":                     {returning([]byte("1.50")), generationtest.Call("getWeather", nil), `getWeather standin-1-1 {"output":1.50}`, "1 getWeather ok "},
		"nothing":                      {returning([]byte("null")), generationtest.Call("getWeather", nil), `getWeather standin-1-1 {"output":null}`, "1 getWeather ok "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil)
			called := g.called()
			g.gemini.Enqueue(test.call, generationtest.Text("ok"))
			if _, err := g.gen.Converse(t.Context(), ask(test.set)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{test.want}, g.responses()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{test.told}, called()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheLargestResultIsTold(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	largest := json.RawMessage(`"` + strings.Repeat("x", generation.MaxToolResultBytes-2) + `"`)
	g.gemini.Enqueue(generationtest.Call("getWeather", nil), generationtest.Text("ok"))
	_, err := g.gen.Converse(t.Context(), ask(tools{"getWeather": func(context.Context, json.RawMessage) (json.RawMessage, error) { return largest, nil }}))
	if got := g.responses()[0]; err != nil || !strings.HasSuffix(got, `{"output":`+string(largest)+`}`) {
		t.Errorf("got %.99s, %v", got, err)
	}
}

func TestALongErrorIsClipped(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini.Enqueue(generationtest.Call("fail", nil), generationtest.Text("ok"))
	_, err := g.gen.Converse(t.Context(), ask(tools{"fail": func(context.Context, json.RawMessage) (json.RawMessage, error) {
		return nil, errors.New("a" + strings.Repeat("é", 1<<20))
	}}))
	if err != nil {
		t.Fatal(err)
	}
	if got := g.responses()[0]; len(got) > 5000 || !strings.HasSuffix(got, `é"}`) {
		t.Errorf("%d bytes, ends in %q", len(got), got[len(got)-10:])
	}
}

func TestTooManyCallsAtOnceAreRefused(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	var calls []generationtest.Reply
	for range generation.MaxToolCalls + 2 {
		calls = append(calls, generationtest.Call("getWeather", city("Rome")))
	}
	g.gemini.Enqueue(generationtest.Chunk(calls...), generationtest.Text("ok"))
	if _, err := g.gen.Converse(t.Context(), ask(tools{"getWeather": weather})); err != nil {
		t.Fatal(err)
	}
	made, refused := 0, 0
	for i, r := range g.responses() {
		switch {
		case strings.Contains(r, "output"):
			made++
		case i >= generation.MaxToolCalls && strings.Contains(r, "at most 32 functions"):
			refused++
		}
	}
	if made != generation.MaxToolCalls || refused != 2 {
		t.Errorf("%d calls were made, %d refused", made, refused)
	}
}

func TestACallOfTheClientsEndsTheConversation(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	r := ask(tools{"getWeather": weather})
	r.Tools = []generation.Declaration{{Name: "openDoor", Description: "Opens the door."}}
	g.gemini.Enqueue(generationtest.Call("getWeather", city("Rome")), generationtest.Call("openDoor", nil))
	reply, err := g.gen.Converse(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if call, ok := reply.Parts[0].FunctionCall(); !ok || call.Name != "openDoor" || len(reply.History) != 3 {
		t.Errorf("got %s after %d turns", reply.Parts, len(reply.History))
	}
	var body struct {
		Tools []struct {
			FunctionDeclarations []struct{ Name string } `json:"functionDeclarations"`
		} `json:"tools"`
	}
	if err := json.Unmarshal(g.gemini.Requests()[0].Body, &body); err != nil {
		t.Fatal(err)
	}
	if d := body.Tools[0].FunctionDeclarations; len(d) != 2 || d[0].Name != "openDoor" || d[1].Name != "getWeather" {
		t.Errorf("declared are %v", d)
	}
}

func TestCallsOfBothSidesAtOnceLeaveTheClientsOpen(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	r := ask(tools{"getWeather": weather})
	r.Tools = []generation.Declaration{{Name: "openDoor"}}
	g.gemini.Enqueue(generationtest.Chunk(generationtest.Call("openDoor", nil), generationtest.Call("getWeather", city("Rome"))))
	reply, err := g.gen.Converse(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(reply.Parts) != 2 || len(reply.History) != 2 {
		t.Fatalf("got %s after %d turns", reply.Parts, len(reply.History))
	}
	if diff := cmp.Diff([]string{`getWeather standin-1-2 {"output":{"city":"Rome","degrees":21}}`}, responsesIn(t, reply.History[1])); diff != "" {
		t.Error(diff)
	}
	// The caller adds what is missing, and goes on.
	open, _ := reply.Parts[0].FunctionCall()
	reply.History[1].Parts = append(reply.History[1].Parts, generation.FunctionResponse(open, json.RawMessage(`{"output":"done"}`)))
	r.Contents = append(r.Contents, reply.History...)
	g.gemini.Enqueue(generationtest.Text("ok"))
	if _, err := g.gen.Converse(t.Context(), r); err != nil {
		t.Error(err)
	}
}

// forever asks for the weather without end, until there are no functions.
func (g *gateway) forever(call generationtest.Reply) {
	g.gemini.Answer(func(r generationtest.Request) (generationtest.Reply, bool) {
		if strings.Contains(string(r.Body), `"mode":"NONE"`) {
			return generationtest.Text("That is all I know."), true
		}
		return call, true
	})
}

func TestAfterTheLastRoundGeminiAnswersWithoutFunctions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		call     generationtest.Reply
		options  generation.Options
		requests int
	}{
		"after as many as the options say": {generationtest.Call("getWeather", city("Rome")), generation.Options{MaxRounds: 2}, 3},
		"after three that failed":          {generationtest.Call("getWeather", nil), generation.Options{MaxRounds: 100}, 4},
		"after three of unknown functions": {generationtest.Call("nothing", nil), generation.Options{MaxRounds: 100}, 4},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, &test.options)
			g.forever(test.call)
			reply, err := g.gen.Converse(t.Context(), ask(tools{"getWeather": weather}))
			if err != nil || reply.Parts[0].Text() != "That is all I know." {
				t.Fatalf("got %v, %v", reply, err)
			}
			all := g.gemini.Requests(generationtest.OpGenerate)
			if len(all) != test.requests || !strings.Contains(string(all[0].Body), "functionDeclarations") {
				t.Errorf("%d requests, want %d", len(all), test.requests)
			}
			if len(reply.History) != 2*test.requests-1 {
				t.Errorf("%d turns", len(reply.History))
			}
		})
	}
}

func TestAModelThatCallsWhatItMustNotIsNotFollowed(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{MaxRounds: 1})
	g.gemini.Answer(func(generationtest.Request) (generationtest.Reply, bool) {
		return generationtest.Call("getWeather", city("Rome")), true
	})
	reply, err := g.gen.Converse(t.Context(), ask(tools{"getWeather": weather}))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(g.gemini.Requests()); n != 2 || len(reply.History) != 3 {
		t.Errorf("%d requests, %d turns", n, len(reply.History))
	}
}

func TestAFailureBetweenSuccessesIsForgiven(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{MaxRounds: 100})
	bad, good := generationtest.Call("getWeather", nil), generationtest.Call("getWeather", city("Rome"))
	g.gemini.Enqueue(bad, bad, good, bad, bad, good, generationtest.Text("ok"))
	reply, err := g.gen.Converse(t.Context(), ask(tools{"getWeather": weather}))
	if err != nil || reply.Parts[0].Text() != "ok" || g.gemini.Pending() != 0 {
		t.Errorf("got %v, %v", reply, err)
	}
}

func TestAModelThatMustCallMayAnswerAfterwards(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	r := ask(tools{"getWeather": weather})
	r.Config = &generation.Config{FunctionCalling: &generation.FunctionCalling{Mode: "ANY"}}
	g.gemini.Enqueue(generationtest.Call("getWeather", city("Rome")), generationtest.Text("ok"))
	if _, err := g.gen.Converse(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	all := g.gemini.Requests()
	if !strings.Contains(string(all[0].Body), `"ANY"`) || strings.Contains(string(all[1].Body), "toolConfig") {
		t.Errorf("the requests are %s and %s", all[0].Body, all[1].Body)
	}
	if r.Config.FunctionCalling.Mode != "ANY" {
		t.Error("the caller's configuration was changed")
	}
}

func TestAVetoRefusesOneCall(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	called := g.called()
	signals.Intercept(g.app.Signals(), func(_ context.Context, e *generation.ToolCalling) error {
		switch {
		case strings.Contains(string(e.Args()), "Rome"):
			return &service.Problem{Status: 403, Code: "not_rome", Detail: "Rome is closed."}
		case strings.Contains(string(e.Args()), "Oslo"):
			return errors.New("an inner reason")
		}
		return nil
	})
	var made []string
	set := tools{"getWeather": func(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
		made = append(made, string(args))
		return weather(ctx, args)
	}}
	g.gemini.Enqueue(generationtest.Chunk(
		generationtest.Call("getWeather", city("Rome")), generationtest.Call("getWeather", city("Oslo")), generationtest.Call("getWeather", city("Bern")),
	), generationtest.Text("ok"))
	if _, err := g.gen.Converse(t.Context(), ask(set)); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`getWeather standin-1-1 {"error":"not_rome: Rome is closed."}`,
		`getWeather standin-1-2 {"error":"the call was refused"}`,
		`getWeather standin-1-3 {"output":{"city":"Bern","degrees":21}}`,
	}
	if diff := cmp.Diff(want, g.responses()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`{"city":"Bern"}`}, made); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1 getWeather ok ", "1 getWeather refused ", "1 getWeather refused "}, called()); diff != "" {
		t.Error(diff)
	}
}

// person is a signed-in user.
type person struct{ id, collection string }

func (p person) UserID() string     { return p.id }
func (p person) Collection() string { return p.collection }
func (p person) SessionID() string  { return "session" }

func TestFunctionsKnowTheCaller(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	called := g.called()
	var seen []string
	set := tools{"getWeather": func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
		id, ok := middleware.FromContext(ctx)
		if !ok {
			seen = append(seen, "nobody")
			return json.RawMessage("1"), nil
		}
		seen = append(seen, id.UserID())
		return json.RawMessage("1"), nil
	}}
	for _, ctx := range []context.Context{t.Context(), middleware.NewContext(t.Context(), person{"ada", "_USERS"})} {
		g.gemini.Enqueue(generationtest.Call("getWeather", city("Rome")), generationtest.Text("ok"))
		if _, err := g.gen.Converse(ctx, ask(set)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"nobody", "ada"}, seen); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1 getWeather ok ", "1 getWeather ok ada"}, called()); diff != "" {
		t.Error(diff)
	}
}

func TestConversationsInFunctionsComeToAnEnd(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &generation.Options{MaxRounds: 1})
	g.gemini.Answer(func(r generationtest.Request) (generationtest.Reply, bool) {
		if strings.Contains(string(r.Body), `"mode":"NONE"`) {
			return generationtest.Text("ok"), true
		}
		return generationtest.Call("getWeather", city("Rome")), true
	})
	set, depth := tools{}, 0
	set["getWeather"] = func(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
		depth++
		_, err := g.gen.Converse(ctx, ask(set))
		return json.RawMessage("1"), err
	}
	if _, err := g.gen.Converse(t.Context(), ask(set)); err != nil || depth != 4 {
		t.Errorf("%d deep: %v", depth, err)
	}
}

func TestManyConversationsAtOnce(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.gemini.Answer(func(generationtest.Request) (generationtest.Reply, bool) { return generationtest.Reply{}, false }) // the stand-in calls
	r := generation.Request{Contents: []generation.Content{generation.User(generation.Text("How is the weather in Paris and Rome?"))}, Toolset: tools{"getWeather": weather}}
	const n = 100
	errs := make(chan error, n)
	for range n {
		go func() {
			reply, err := g.gen.Converse(t.Context(), r)
			if err == nil && !strings.HasSuffix(reply.Parts[0].Text(), "getWeather says: city Paris, degrees 21. getWeather says: city Rome, degrees 21.") {
				err = fmt.Errorf("got %s", reply.Parts)
			}
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestANameThatGeminiCannotSayIsTheHostsMistake(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	r := ask(named("get weather"))
	if _, err := g.gen.Converse(t.Context(), r); err == nil || !strings.Contains(err.Error(), `"get weather"`) {
		t.Errorf("got %v", err)
	}
	for _, err := range g.gen.Stream(t.Context(), r) {
		if err == nil {
			t.Error("the stream went on")
		}
	}
}

// named is a toolset of one function with any name.
type named string

func (n named) Names() []string { return []string{string(n)} }

func (named) Describe(string) (description string, input, output json.RawMessage) {
	return "", nil, nil
}

func (named) Call(context.Context, string, json.RawMessage) (json.RawMessage, error) {
	return json.RawMessage("1"), nil
}

func TestFunctionsOfOneAnswerRunEightAtOnce(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	var mu sync.Mutex
	running, most := 0, 0
	eight := make(chan struct{})
	reached := sync.OnceFunc(func() { close(eight) })
	set := tools{"getWeather": func(context.Context, json.RawMessage) (json.RawMessage, error) {
		mu.Lock()
		running++
		most = max(most, running)
		if running == 8 {
			reached()
		}
		mu.Unlock()
		<-eight // none returns before eight are there
		mu.Lock()
		defer mu.Unlock()
		running--
		return json.RawMessage("1"), nil
	}}
	var calls []generationtest.Reply
	for range 24 {
		calls = append(calls, generationtest.Call("getWeather", nil))
	}
	g.gemini.Enqueue(generationtest.Chunk(calls...), generationtest.Text("ok"))
	if _, err := g.gen.Converse(t.Context(), ask(set)); err != nil {
		t.Fatal(err)
	}
	if most != 8 {
		t.Errorf("%d ran at once", most)
	}
}
