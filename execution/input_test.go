package execution_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex/execution"
	"github.com/imadelakhaldev/coglex/service"
)

type order struct {
	Item    string            `json:"item"`
	Count   int8              `json:"count"`
	At      time.Time         `json:"at,omitzero"`
	Picture []byte            `json:"picture,omitempty"`
	Note    *string           `json:"note,omitempty"`
	Lines   []line            `json:"lines,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	Any     any               `json:"any,omitempty"`
	Pair    *[2]int           `json:"pair,omitempty"`
}

type line struct {
	Price float64 `json:"price"`
}

// echoOrder returns its input.
func echoOrder() execution.Function {
	return execution.Func("order", "Returns its input.", func(_ context.Context, in order) (order, error) { return in, nil }, nil)
}

func TestInputsAreChecked(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil, echoOrder())
	rows := map[string]struct {
		body string
		want []service.Field
	}{
		"a missing member":       {`{"item":"a"}`, []service.Field{{Field: "count", Message: "is missing"}}},
		"all that is wrong":      {`{"item":1,"extra":{"a":[1]},"lines":[{"price":1},{"price":"x","y":1},{}]}`, []service.Field{{Field: "item", Message: "must be a string"}, {Field: "extra", Message: "is not known"}, {Field: "lines[1].price", Message: "must be a number"}, {Field: "lines[1].y", Message: "is not known"}, {Field: "lines[2].price", Message: "is missing"}, {Field: "count", Message: "is missing"}}},
		"a name in another case": {`{"item":"a","count":1,"Item":"b"}`, []service.Field{{Field: "Item", Message: "is not known"}}},
		"null":                   {`{"item":null,"count":1}`, []service.Field{{Field: "item", Message: "must be a string"}}},
		"a number in a string":   {`{"item":"a","count":"1"}`, []service.Field{{Field: "count", Message: "must be an integer"}}},
		"a fraction":             {`{"item":"a","count":1.5}`, []service.Field{{Field: "count", Message: "must be an integer"}}},
		"a number too large":     {`{"item":"a","count":128}`, []service.Field{{Field: "count", Message: "is out of range"}}},
		"a number far too large": {`{"item":"a","count":1,"lines":[{"price":1e999}]}`, []service.Field{{Field: "lines[0].price", Message: "is out of range"}}},
		"no base64":              {`{"item":"a","count":1,"picture":"***"}`, []service.Field{{Field: "picture", Message: "has the wrong form"}}},
		"no time":                {`{"item":"a","count":1,"at":"yesterday"}`, []service.Field{{Field: "at", Message: "has the wrong form"}}},
		"too few of an array":    {`{"item":"a","count":1,"pair":[1]}`, []service.Field{{Field: "pair", Message: "must have 2 elements"}}},
		"a value of a map":       {`{"item":"a","count":1,"labels":{"x":1}}`, []service.Field{{Field: "labels.x", Message: "must be a string"}}},
		"a key of a map twice":   {`{"item":"a","count":1,"labels":{"x":"1","x":"2"}}`, []service.Field{{Field: "labels.x", Message: "is given twice"}}},
		"a name twice":           {`{"item":"a","count":1,"item":"b"}`, []service.Field{{Field: "item", Message: "is given twice"}}},
		"a name twice in any":    {`{"item":"a","count":1,"any":{"x":1,"x":2}}`, []service.Field{{Field: "any.x", Message: "is given twice"}}},
		"an array":               {`["a",1]`, []service.Field{{Field: "body", Message: "must be an object"}}},
		"an empty body":          {``, []service.Field{{Field: "body", Message: "must not be empty"}}},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := g.request(http.MethodPost, "/execute/order", row.body, "Content-Type", "application/json")
			a := g.serve(r).refused(http.StatusBadRequest, "invalid", "")
			var p struct{ Errors []service.Field }
			if err := json.Unmarshal([]byte(a.body), &p); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, p.Errors); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTheGoPathIsAsStrict sends by Call what HTTP refuses by itself before.
func TestTheGoPathIsAsStrict(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &execution.Options{BodyLimit: 10 << 10}, echoOrder())
	deep := strings.Repeat("[", 3000) + strings.Repeat("]", 3000)
	rows := map[string]struct{ input, want string }{
		"a name twice":                {`{"item":"a","count":1,"item":"b"}`, "item is given twice"},
		"trailing data":               {`{"item":"a","count":1}{}`, "body is followed by something"},
		"trailing garbage":            {`{"item":"a","count":1}x`, "is not well-formed JSON"},
		"no JSON":                     {`item`, "is not well-formed JSON"},
		"half of it":                  {`{"item":"a"`, "ends too early"},
		"invalid UTF-8":               {"{\"item\":\"\xff\",\"count\":1}", "is not well-formed JSON"},
		"too deep":                    {`{"item":"a","count":1,"any":` + deep + `}`, "is nested more than 128 levels deep"},
		"too deep and open":           {`{"item":"a","count":1,"any":` + deep[:3000], "is nested more than 128 levels deep"},
		"too deep where no one looks": {`{"x":` + deep + `}`, "is nested more than 128 levels deep"},
		"too large":                   {`{"item":"` + strings.Repeat("a", 10<<10) + `","count":1}`, "body must not be larger than 10240 bytes"},
		"null":                        {`null`, "body must be an object"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := g.fns.Call(t.Context(), "order", json.RawMessage(row.input))
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %.200v, want one with %q", err, row.want)
			}
		})
	}
}

func TestFaultsAreBounded(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil, echoOrder())
	a := g.call("order", `{"lines":[`+strings.Repeat(`{},`, 10_000)+`{}]}`).refused(http.StatusBadRequest, "invalid", "lines[19].price")
	if len(a.body) > 2000 {
		t.Errorf("%d bytes for one wrong input", len(a.body))
	}
}

func TestInputsComeThrough(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil, echoOrder())
	const full = `{"item":"é","count":-128,"at":"2026-11-22T13:00:00Z","picture":"AAEC","note":"n","lines":[{"price":1.5}],"labels":{"a":"b"},"any":{"deep":[1,null,{"x":"y"}]},"pair":[1,2]}`
	g.call("order", full).gave(full)
	g.call("order", `{"item":"a","count":1,"note":null,"any":null,"pair":null}`).gave(`{"item":"a","count":1}`)
}

func TestNothingToTake(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil, execution.Func("ping", "Answers pong.", func(context.Context, struct{}) (string, error) { return "pong", nil }, nil), getWeather(nil))
	g.call("ping", "").gave(`"pong"`)
	g.call("ping", "{}").gave(`"pong"`)
	g.call("ping", `{"args":[],"kwargs":{}}`).gave(`"pong"`)
	g.call("ping", `{"a":1}`).refused(http.StatusBadRequest, "invalid", "is not known")
	g.call("getWeather", "").refused(http.StatusUnsupportedMediaType, "unsupported_media_type", "")
	g.call("ping", "{}", "Content-Type", "text/plain").refused(http.StatusUnsupportedMediaType, "unsupported_media_type", "")
	if text, err := g.fns.Call(t.Context(), "ping", nil); err != nil || string(text) != `"pong"` {
		t.Errorf("%s, %v", text, err)
	}
}

func TestTheBodyOfTheFirstGeneration(t *testing.T) {
	t.Parallel()
	sum := func(_ context.Context, in struct{ A, B, C int }) (int, error) { return 100*in.A + 10*in.B + in.C, nil }
	own := func(_ context.Context, in struct {
		Args []int `json:"args"`
	},
	) (int, error) {
		return len(in.Args), nil
	}
	loose := func(_ context.Context, in map[string]any) (int, error) { return len(in), nil }
	g := newGateway(t, nil, execution.Func("sum", "Sums.", sum, nil), execution.Func("own", "Has args.", own, nil), execution.Func("loose", "Takes all.", loose, nil))
	g.call("sum", `{"args":[1,2,3]}`).gave("123")
	g.call("sum", `{"args":[1],"kwargs":{"C":3,"B":2}}`).gave("123")
	g.call("sum", `{"kwargs":{"A":1,"B":2,"C":3}}`).gave("123")
	g.call("sum", `{"args":[1,2,3,4]}`).refused(http.StatusBadRequest, "invalid", "must have 3 elements at most")
	g.call("sum", `{"args":[1],"kwargs":{"A":1}}`).refused(http.StatusBadRequest, "invalid", "args[0]")
	g.call("sum", `{"args":[1,2]}`).refused(http.StatusBadRequest, "invalid", "is missing")
	g.call("sum", `{"args":{}}`).refused(http.StatusBadRequest, "invalid", "must be an array")
	g.call("sum", `{"args":null}`).refused(http.StatusBadRequest, "invalid", "must be an array")
	g.call("sum", `{"kwargs":[]}`).refused(http.StatusBadRequest, "invalid", "must be an object")
	g.call("sum", `{"args":[1,2,3],"x":1}`).refused(http.StatusBadRequest, "invalid", "args")
	g.call("own", `{"args":[1,2,3]}`).gave("3")
	g.call("loose", `{"args":[1,2,3],"kwargs":{}}`).gave("2")
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &execution.Options{BodyLimit: 100}, getWeather(nil))
	g.call("getWeather", `{"city":"`+strings.Repeat("a", 100)+`"}`).refused(http.StatusRequestEntityTooLarge, "too_large", "")
	g.serve(g.request(http.MethodPost, "/execute/getWeather?x=1", `{"city":"a"}`)).refused(http.StatusBadRequest, "invalid", "x")
}
