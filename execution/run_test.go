package execution_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imadelakhaldev/coglex/execution"
	"github.com/imadelakhaldev/coglex/middleware"
	"github.com/imadelakhaldev/coglex/service"
	"github.com/imadelakhaldev/coglex/signals/signalstest"
)

// nothing is a function that takes nothing and does this.
func nothing(name string, do func(context.Context) (string, error), opts *execution.FuncOptions) execution.Function {
	return execution.Func(name, "Does something.", func(ctx context.Context, _ struct{}) (string, error) { return do(ctx) }, opts)
}

func newService(tb testing.TB, functions ...execution.Function) *execution.Service {
	tb.Helper()
	fns, err := execution.New(functions, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return fns
}

func TestErrorsOfFunctions(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	rows := map[string]struct {
		do     func(context.Context) (string, error)
		status int
		code   string
		want   string
	}{
		"a refusal": {func(context.Context) (string, error) {
			return "", execution.Errorf(http.StatusNotFound, "city_unknown", "There is no %s.", "Atlantis")
		}, 404, "city_unknown", "There is no Atlantis."},
		"a wrapped refusal": {func(context.Context) (string, error) {
			return "", fmt.Errorf("dial 10.0.0.7: %w", execution.Errorf(http.StatusConflict, "taken", "Taken."))
		}, 409, "taken", "Taken."},
		"a problem": {func(context.Context) (string, error) {
			return "", service.Invalid("city", "is under water")
		}, 400, "invalid", "is under water"},
		"a failure":                    {func(context.Context) (string, error) { return "", cause }, 500, "function_failed", "The function failed."},
		"a status that is none":        {func(context.Context) (string, error) { return "", execution.Errorf(200, "fine", "10.0.0.7") }, 500, "function_failed", ""},
		"a code that is none":          {func(context.Context) (string, error) { return "", execution.Errorf(400, "Not A Code", "10.0.0.7") }, 500, "function_failed", ""},
		"another function is unknown":  {func(context.Context) (string, error) { return "", execution.ErrUnknown }, 500, "function_failed", ""},
		"another function is busy":     {func(context.Context) (string, error) { return "", execution.ErrBusy }, 500, "function_failed", ""},
		"another took too long":        {func(context.Context) (string, error) { return "", context.DeadlineExceeded }, 500, "function_failed", ""},
		"another's caller left":        {func(context.Context) (string, error) { return "", context.Canceled }, 500, "function_failed", ""},
		"another's input":              {func(context.Context) (string, error) { return "", &execution.InputError{} }, 500, "function_failed", ""},
		"a panic":                      {func(context.Context) (string, error) { panic("10.0.0.7") }, 500, "function_failed", ""},
		"a panic with a problem":       {func(context.Context) (string, error) { panic(service.Invalid("city", "10.0.0.7")) }, 500, "function_failed", ""},
		"a panic with ErrAbortHandler": {func(context.Context) (string, error) { panic(http.ErrAbortHandler) }, 500, "function_failed", ""},
		"a panic with nil":             {func(context.Context) (string, error) { panic(nil) }, 500, "function_failed", ""},
		"the end of its goroutine":     {func(context.Context) (string, error) { runtime.Goexit(); return "", nil }, 500, "function_failed", ""},
		"a runtime error":              {func(context.Context) (string, error) { var a []int; return "", errors.New(string(rune(a[0]))) }, 500, "function_failed", ""},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, nil, nothing("f", row.do, nil))
			a := g.call("f", "").refused(row.status, row.code, row.want)
			if strings.Contains(a.body, "10.0.0.7") || strings.Contains(a.body, "goroutine") {
				t.Errorf("the answer tells of the inside: %s", a.body)
			}
			g.call("f", "").refused(row.status, row.code, row.want) // its place was given back
		})
	}
	fns := newService(t, nothing("f", func(context.Context) (string, error) { return "", cause }, nil),
		nothing("r", func(context.Context) (string, error) { return "", execution.Errorf(400, "bad", "x: %w", cause) }, nil))
	for _, name := range []string{"f", "r"} {
		if _, err := fns.Call(t.Context(), name, nil); !errors.Is(err, cause) {
			t.Errorf("%s: the gateway's own code does not find the cause in %v", name, err)
		}
	}
}

func TestAFunctionThatNeverReturns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		leave := make(chan struct{})
		fns := newService(t, nothing("forever", func(context.Context) (string, error) {
			<-leave // whatever its context says
			return "", errors.New("late")
		}, &execution.FuncOptions{Timeout: 5 * time.Second, Concurrency: 1}))
		began := time.Now()
		if _, err := fns.Call(t.Context(), "forever", nil); !errors.Is(err, execution.ErrTimeout) {
			t.Fatalf("error %v, want a timeout", err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("it took %s", took)
		}
		if n := fns.Abandoned(); n != 1 {
			t.Errorf("%d abandoned, want 1", n)
		}
		if _, err := fns.Call(t.Context(), "forever", nil); !errors.Is(err, execution.ErrBusy) {
			t.Errorf("error %v: its place was given away while it runs", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := fns.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 functions run") {
			t.Errorf("stopping: %v", err)
		}
		close(leave)
		if err := fns.Stop(t.Context()); err != nil || fns.Abandoned() != 0 {
			t.Errorf("stopping: %v; %d abandoned", err, fns.Abandoned())
		}
	})
}

func TestAFunctionThatHeedsItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var wrapped atomic.Bool
		fns := newService(t, nothing("waits", func(ctx context.Context) (string, error) {
			<-ctx.Done()
			if wrapped.Load() {
				return "", fmt.Errorf("waiting: %w", ctx.Err())
			}
			return "", ctx.Err()
		}, nil))
		for range 2 {
			began := time.Now()
			if _, err := fns.Call(t.Context(), "waits", nil); !errors.Is(err, execution.ErrTimeout) || time.Since(began) != execution.DefaultTimeout {
				t.Errorf("%v after %s, want a timeout after %s", err, time.Since(began), execution.DefaultTimeout)
			}
			synctest.Wait()
			wrapped.Store(true)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := fns.Call(ctx, "waits", nil); !errors.Is(err, execution.ErrTimeout) {
			t.Errorf("%v where the caller's own time is over", err)
		}
		synctest.Wait()
		if fns.Abandoned() != 0 {
			t.Errorf("%d abandoned", fns.Abandoned())
		}
	})
}

// TestAFunctionCallsAnother: what a function calls is called by the gateway's own
// code, whoever called the function.
func TestAFunctionCallsAnother(t *testing.T) {
	t.Parallel()
	var g *gateway
	g = newGateway(t, nil,
		nothing("outer", func(ctx context.Context) (string, error) {
			text, err := g.fns.Call(ctx, "inner", nil)
			return string(text), err
		}, nil),
		nothing("inner", func(ctx context.Context) (string, error) {
			id, _ := middleware.FromContext(ctx)
			return id.UserID(), nil
		}, &execution.FuncOptions{User: true, Scope: "billing:write"}))
	recorder := signalstest.Record[execution.Executed](t, g.app.Signals())
	g.echo.POST("/browser/:function", g.fns.HandleExecute, g.app.Authenticated())
	at := func(name string) answer {
		r := g.request(http.MethodPost, "", "", "Authorization", "Bearer ann")
		r.URL.Path = "/browser/" + name
		r.Header.Del("X-API-Key")
		return g.serve(r)
	}
	at("inner").refused(http.StatusForbidden, "scope_missing", "")
	at("outer").gave(`"\"ann\""`)
	recorder.ExpectExactly(
		func(e execution.Executed) bool { return e.Name == "inner" && e.Origin == execution.OriginGo },
		func(e execution.Executed) bool { return e.Name == "outer" && e.Origin == execution.OriginHTTP },
	)
}

func TestTheCallerLeaves(t *testing.T) {
	t.Parallel()
	entered, gone := make(chan struct{}), make(chan struct{})
	g := newGateway(t, nil, nothing("waits", func(ctx context.Context) (string, error) {
		close(entered)
		<-ctx.Done()
		close(gone)
		return "", ctx.Err()
	}, nil))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-entered
		cancel()
	}()
	r := g.request(http.MethodPost, "/execute/waits", "").WithContext(ctx)
	g.serve(r).refused(service.StatusClientClosed, "client_closed", "")
	<-gone
	if err := g.fns.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAThousandAtOnceAgainstTen(t *testing.T) {
	t.Parallel()
	var running, most atomic.Int64
	leave := make(chan struct{})
	g := newGateway(t, nil, nothing("slow", func(context.Context) (string, error) {
		n := running.Add(1)
		defer running.Add(-1)
		for {
			old := most.Load()
			if n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		<-leave
		return "ok", nil
	}, &execution.FuncOptions{Concurrency: 10}))
	answers := make(chan answer, 1000)
	var done sync.WaitGroup
	for range 1000 {
		done.Go(func() { answers <- g.call("slow", "") })
	}
	for range 990 { // those that are refused do not wait for the others
		a := <-answers
		a.refused(http.StatusServiceUnavailable, "busy", "")
		if a.header.Get("Retry-After") != "1" {
			t.Fatalf("Retry-After %q", a.header.Get("Retry-After"))
		}
	}
	close(leave)
	done.Wait()
	for range 10 {
		(<-answers).gave(`"ok"`)
	}
	if most.Load() != 10 {
		t.Errorf("%d ran at once, want 10", most.Load())
	}
}

func TestFunctionsThatCallThemselves(t *testing.T) {
	t.Parallel()
	var fns *execution.Service
	var deepest atomic.Int64
	again := func(ctx context.Context, in struct{ N int64 }) (int64, error) {
		deepest.Store(max(deepest.Load(), in.N))
		_, err := fns.Call(ctx, "again", fmt.Appendf(nil, `{"N":%d}`, in.N+1))
		return in.N, err
	}
	g := newGateway(t, nil, execution.Func("again", "Calls itself.", again, nil))
	fns = g.fns
	g.call("again", `{"N":1}`).refused(http.StatusInternalServerError, "function_failed", "")
	if deepest.Load() != execution.MaxCalls {
		t.Errorf("%d calls deep, want %d", deepest.Load(), execution.MaxCalls)
	}
	if _, err := fns.Call(t.Context(), "again", json.RawMessage(`{"N":1}`)); !errors.Is(err, execution.ErrTooDeep) {
		t.Errorf("error %v", err)
	}
	alone := newGateway(t, nil, execution.Func("again", "Calls itself.", again, &execution.FuncOptions{Concurrency: 1}))
	fns = alone.fns
	alone.call("again", `{"N":1}`).refused(http.StatusInternalServerError, "function_failed", "") // and is not stuck
}
