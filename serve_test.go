package coglex_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex"
)

// running is an App that serves on a real listener.
type running struct {
	app    *coglex.App
	url    string
	stop   context.CancelFunc
	ended  chan error // what Serve returned
	client *http.Client
}

// serve starts app on e, and stops it when the test ends.
func serve(t *testing.T, app *coglex.App, e *echo.Echo) *running {
	t.Helper()
	l := listen(t, "127.0.0.1:0")
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{
		app: app, url: "http://" + l.Addr().String(), stop: cancel, ended: make(chan error, 1),
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	done := make(chan struct{})
	go func() { r.ended <- app.Serve(ctx, e, l); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// get returns the status and the body, or an error where the connection broke.
func (r *running) get(ctx context.Context, path string, headers ...string) (int, string, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path, nil)
	if err != nil {
		return 0, "", nil, err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := r.client.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, string(body), res.Header, err
}

// held adds a route that waits until it is released or its request ends.
func held(e *echo.Echo) (entered chan struct{}, release chan struct{}) {
	entered, release = make(chan struct{}, 1), make(chan struct{})
	e.GET("/held", func(c echo.Context) error {
		entered <- struct{}{}
		select {
		case <-release:
			return c.String(http.StatusOK, "in the end")
		case <-c.Request().Context().Done():
			return c.Request().Context().Err()
		}
	})
	return entered, release
}

func TestServeServesUntilTheContextEnds(t *testing.T) {
	t.Parallel()
	var d diary
	app, e := newApp(t, nil), newEcho()
	if err := app.Mount(e, d.kept("one")); err != nil {
		t.Fatal(err)
	}
	r := serve(t, app, e)
	status, body, _, err := r.get(t.Context(), "/service/one/v1", "X-API-Key", apiKey)
	if err != nil || status != 200 || body != "list of one" {
		t.Errorf("answer = %d %q, %v, want the route's", status, body, err)
	}
	r.stop()
	if err := <-r.ended; err != nil {
		t.Errorf("Serve returned %v after a clean end, want nil", err)
	}
	if diff := cmp.Diff([]string{"start one", "stop one"}, d.read()); diff != "" {
		t.Errorf("diary (-want +got):\n%s", diff)
	}
	if _, _, _, err := r.get(t.Context(), "/"); err == nil {
		t.Error("the server still answers")
	}
}

func TestServeLetsARequestInFlightEnd(t *testing.T) {
	t.Parallel()
	var d diary
	app, e := newApp(t, nil), newEcho()
	s := d.kept("one")
	if err := app.Add(s); err != nil {
		t.Fatal(err)
	}
	entered, release := held(e)
	r := serve(t, app, e)
	type result struct {
		status int
		body   string
		err    error
	}
	answered := make(chan result, 1)
	go func() {
		status, body, _, err := r.get(context.WithoutCancel(t.Context()), "/held")
		answered <- result{status, body, err}
	}()
	<-entered
	r.stop()
	<-s.host(t).Draining
	if err := app.Ready(t.Context()); err == nil {
		t.Error("the App is ready while it drains")
	}
	if diff := cmp.Diff([]string{"start one"}, d.read()); diff != "" {
		t.Errorf("diary while a request is in flight (-want +got):\n%s", diff)
	}
	close(release)
	if got := <-answered; got.err != nil || got.status != 200 || got.body != "in the end" {
		t.Errorf("answer = %+v, want the whole of it", got)
	}
	if err := <-r.ended; err != nil {
		t.Errorf("Serve returned %v, want nil", err)
	}
}

func TestServeCutsARequestThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	var d diary
	app, e := newApp(t, &coglex.Options{DrainTimeout: 20 * time.Millisecond}), newEcho()
	if err := app.Add(d.kept("one")); err != nil {
		t.Fatal(err)
	}
	entered, _ := held(e)
	r := serve(t, app, e)
	answered := make(chan error, 1)
	go func() {
		_, _, _, err := r.get(context.WithoutCancel(t.Context()), "/held")
		answered <- err
	}()
	<-entered
	r.stop()
	if err := <-r.ended; err == nil || !strings.Contains(err.Error(), "drain timeout") {
		t.Errorf("Serve returned %v, want that requests were cut", err)
	}
	if err := <-answered; err == nil {
		t.Error("the request was answered, want it cut")
	}
	if diff := cmp.Diff([]string{"start one", "stop one"}, d.read()); diff != "" {
		t.Errorf("diary (-want +got):\n%s", diff)
	}
}

func TestServeStopsWhatStartedWhenAStartFails(t *testing.T) {
	t.Parallel()
	var d diary
	app := newApp(t, nil)
	broken := d.kept("two")
	broken.start = func(context.Context) error { return errBroken }
	if err := app.Add(d.kept("one"), broken, d.kept("three")); err != nil {
		t.Fatal(err)
	}
	r := serve(t, app, newEcho())
	if err := <-r.ended; !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "two") {
		t.Errorf("Serve returned %v, want the cause and the name", err)
	}
	if diff := cmp.Diff([]string{"start one", "stop three", "stop two", "stop one"}, d.read()); diff != "" {
		t.Errorf("diary (-want +got):\n%s", diff)
	}
	if _, _, _, err := r.get(t.Context(), "/"); err == nil {
		t.Error("the listener is still open")
	}
}

func TestServeEndsWithItsListener(t *testing.T) {
	t.Parallel()
	var d diary
	app := newApp(t, nil)
	if err := app.Add(d.kept("one")); err != nil {
		t.Fatal(err)
	}
	l := listen(t, "127.0.0.1:0")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := app.Serve(t.Context(), newEcho(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returned %v, want that the listener is closed", err)
	}
	if diff := cmp.Diff([]string{"start one", "stop one"}, d.read()); diff != "" {
		t.Errorf("diary (-want +got):\n%s", diff)
	}
}

// broken is a listener whose Accept fails when it is told to.
type broken struct {
	net.Listener
	fail chan struct{}
}

func (b broken) Accept() (net.Conn, error) {
	type accepted struct {
		conn net.Conn
		err  error
	}
	next := make(chan accepted, 1)
	go func() {
		conn, err := b.Listener.Accept()
		next <- accepted{conn, err}
	}()
	select {
	case a := <-next:
		return a.conn, a.err
	case <-b.fail:
		return nil, errBroken
	}
}

func TestServeCutsWhatIsInFlightWhenItsListenerBreaks(t *testing.T) {
	t.Parallel()
	app, e := newApp(t, nil), newEcho()
	entered, _ := held(e)
	l := broken{listen(t, "127.0.0.1:0"), make(chan struct{})}
	r := &running{url: "http://" + l.Addr().String(), client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	ended, answered := make(chan error, 1), make(chan error, 1)
	go func() { ended <- app.Serve(t.Context(), e, l) }()
	go func() {
		_, _, _, err := r.get(context.WithoutCancel(t.Context()), "/held")
		answered <- err
	}()
	<-entered
	close(l.fail)
	if err := <-ended; !errors.Is(err, errBroken) {
		t.Errorf("Serve returned %v, want the listener's error", err)
	}
	if err := <-answered; err == nil {
		t.Error("the request was answered by a gateway that has stopped")
	}
}

func TestRunSaysThatThePortIsInUse(t *testing.T) {
	t.Parallel()
	var d diary
	app := newApp(t, nil)
	if err := app.Add(d.kept("one")); err != nil {
		t.Fatal(err)
	}
	l := listen(t, "127.0.0.1:0")
	defer l.Close()
	err := app.Run(t.Context(), newEcho(), l.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "address already in use") || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("Run returned %v, want the address and what is wrong with it", err)
	}
	if got := d.read(); len(got) != 0 {
		t.Errorf("diary = %v, want nothing started", got)
	}
}

func TestRunServes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	app := newApp(t, nil)
	s := &fake{name: "one", start: func(context.Context) error { cancel(); return nil }}
	if err := app.Add(s); err != nil {
		t.Fatal(err)
	}
	if err := app.Run(ctx, newEcho(), "127.0.0.1:0"); err != nil {
		t.Errorf("Run returned %v after a clean end, want nil", err)
	}
}

func TestServerTroubleGoesToTheLogger(t *testing.T) {
	t.Parallel()
	log := newLines()
	app, e := newApp(t, &coglex.Options{Logger: log.logger()}), newEcho()
	e.GET("/panic", func(echo.Context) error { panic("of the host") })
	r := serve(t, app, e)
	if _, _, _, err := r.get(t.Context(), "/panic"); err == nil {
		t.Error("a panic of the host's handler was answered, want a broken connection")
	}
	for {
		line := <-log
		if text, _ := line["msg"].(string); strings.Contains(text, "of the host") {
			return
		}
	}
}
