package coglex_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imadelakhaldev/coglex"
)

// healthy returns an App with its health routes and the given readiness checks.
func healthy(t *testing.T, log lines, checks map[string]func(context.Context) error) (*coglex.App, http.Handler) {
	t.Helper()
	app := newApp(t, &coglex.Options{Logger: log.logger(), NoAccessLog: true})
	for _, name := range []string{"auth", "storage", "archive"} {
		if err := app.Add(&fake{name: name, ready: checks[name]}); err != nil {
			t.Fatal(err)
		}
	}
	e := newEcho()
	e.GET("/live", app.HandleLive)
	e.GET("/ready", app.HandleReady)
	return app, e
}

// notReady returns the names in a not_ready problem.
func notReady(t *testing.T, rec *httptest.ResponseRecorder) []string {
	t.Helper()
	var problem struct {
		Code   string
		Errors []struct{ Field string }
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &problem); err != nil {
		t.Fatalf("body %q: %v", rec.Body, err)
	}
	if rec.Code != 503 || problem.Code != "not_ready" || rec.Header().Get("Retry-After") != "2" {
		t.Errorf("answer = %d %s %v, want 503 not_ready with a Retry-After", rec.Code, rec.Body, rec.Header())
	}
	var names []string
	for _, field := range problem.Errors {
		names = append(names, field.Field)
	}
	return names
}

func TestHealthNeedsNoKey(t *testing.T) {
	t.Parallel()
	_, h := healthy(t, newLines(), nil)
	for _, path := range []string{"/live", "/ready"} {
		rec := send(h, "GET", path, "X-API-Key", "")
		if rec.Code != 200 || strings.TrimSpace(rec.Body.String()) != `{"status":"ok"}` || rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("GET %s = %d %s %v, want 200", path, rec.Code, rec.Body, rec.Header())
		}
	}
}

func TestReadyNamesThoseThatAreNot(t *testing.T) {
	t.Parallel()
	log := newLines()
	_, h := healthy(t, log, map[string]func(context.Context) error{
		"auth":    func(context.Context) error { return errBroken },
		"archive": func(context.Context) error { panic("of a service") },
	})
	rec := send(h, "GET", "/ready")
	if diff := cmp.Diff([]string{"auth", "archive"}, notReady(t, rec)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for _, cause := range []string{errBroken.Error(), "panic", "of a service"} {
		if strings.Contains(rec.Body.String(), cause) {
			t.Errorf("the answer tells the cause: %s", rec.Body)
		}
	}
	for _, want := range []string{errBroken.Error(), "of a service"} {
		if line := log.next("service is not ready"); !strings.Contains(line["error"].(string), want) {
			t.Errorf("log = %v, want %s", line, want)
		}
	}
	if rec := send(h, "GET", "/live"); rec.Code != 200 {
		t.Errorf("live = %d, want 200 whatever the services say", rec.Code)
	}
}

func TestReadyWaitsNotForOneThatHangs(t *testing.T) {
	t.Parallel()
	rows := map[string]func(ctx context.Context, release <-chan struct{}){
		"until its context ends":    func(ctx context.Context, _ <-chan struct{}) { <-ctx.Done() },
		"whatever its context says": func(_ context.Context, release <-chan struct{}) { <-release },
	}
	for name, hang := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				_, h := healthy(t, newLines(), map[string]func(context.Context) error{
					"auth":    func(ctx context.Context) error { hang(ctx, release); return ctx.Err() },
					"archive": func(ctx context.Context) error { hang(ctx, release); return ctx.Err() },
				})
				began := time.Now()
				rec := send(h, "GET", "/ready")
				if took := time.Since(began); took > coglex.ReadyTimeout {
					t.Errorf("the answer took %s, want %s at most for all together", took, coglex.ReadyTimeout)
				}
				if diff := cmp.Diff([]string{"auth", "archive"}, notReady(t, rec)); diff != "" {
					t.Errorf("names (-want +got):\n%s", diff)
				}
				close(release)
			})
		})
	}
}

func TestReadyAsksAllAtTheSameTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context) error {
			select {
			case <-time.After(coglex.ReadyTimeout - time.Millisecond):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		_, h := healthy(t, newLines(), map[string]func(context.Context) error{"auth": slow, "storage": slow, "archive": slow})
		if rec := send(h, "GET", "/ready"); rec.Code != 200 {
			t.Errorf("answer = %d %s, want 200", rec.Code, rec.Body)
		}
	})
}

func TestReadyIsOverOnceTheAppStops(t *testing.T) {
	t.Parallel()
	app, h := healthy(t, newLines(), nil)
	if err := app.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names := notReady(t, send(h, "GET", "/ready")); names != nil {
		t.Errorf("names = %v, want none: it is the gateway that ends", names)
	}
	if rec := send(h, "GET", "/live"); rec.Code != 200 {
		t.Errorf("live = %d, want 200 to the end", rec.Code)
	}
}
