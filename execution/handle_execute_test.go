package execution_test

import (
	"net/http"
	"testing"
)

func TestExecute(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil, getWeather(nil))
	a := g.call("getWeather", `{"city":"Paris"}`).gave(`{"city":"Paris","temperature":21.5,"warnings":[]}`)
	if got := a.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	g.call("getWeather/", `{"city":"Paris"}`).gave(`{"city":"Paris","temperature":21.5,"warnings":[]}`)
	g.call("getweather", `{"city":"Paris"}`).refused(http.StatusNotFound, "function_unknown", "")
	r := g.request(http.MethodPost, "/execute/getWeather", `{"city":"Paris"}`)
	r.Header.Del("X-API-Key")
	g.serve(r).refused(http.StatusUnauthorized, "api_key_invalid", "")
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil, getWeather(nil))
	g.serve(g.request(http.MethodGet, "/functions", "")).gave(`[{"name":"getWeather","description":"Current weather of a city.",` +
		`"input":{"type":"object","properties":{"city":{"type":"string","description":"Name of the city."},"unit":{"type":"string","description":"celsius or fahrenheit."}},"required":["city"],"additionalProperties":false},` +
		`"output":{"type":"object","properties":{"city":{"type":"string"},"temperature":{"type":"number"},"warnings":{"type":"array","items":{"type":"string"}}},"required":["city","temperature","warnings"],"additionalProperties":false}}]`)
	empty := newGateway(t, nil)
	empty.serve(empty.request(http.MethodGet, "/functions", "")).gave(`[]`)
}
