package coglex_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/service"
)

// ruled is a service with an error of its own.
type ruled struct{ fake }

var errTaken = errors.New("the chair is taken")

func (*ruled) Rules() []service.Rule {
	return []service.Rule{service.Is(errTaken, http.StatusConflict, "taken", "Somebody sits there.")}
}

func TestErrorsOfServicesMayBeReturnedByHandlersOfYourOwn(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		err    error
		status int
		code   string
	}{
		"an error of a service":          {fmt.Errorf("sitting down: %w", errTaken), http.StatusConflict, "taken"},
		"a refusal of one's own":         {&service.Problem{Status: http.StatusPaymentRequired, Code: "pay_first"}, http.StatusPaymentRequired, "pay_first"},
		"an error that nobody knows":     {errors.New("the password is hunter2"), http.StatusInternalServerError, "internal"},
		"an error of echo's, left alone": {echo.NewHTTPError(http.StatusTeapot, "short and stout"), http.StatusTeapot, ""},
		"none":                           {nil, http.StatusOK, ""},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t, &coglex.Options{Logger: newLines().logger()})
			e := newEcho()
			e.Use(app.Errors())
			e.GET("/own", func(echo.Context) error { return row.err })
			if err := app.Add(&ruled{fake{name: "chairs"}}); err != nil { // after Use
				t.Fatal(err)
			}
			rec := send(e, http.MethodGet, "/own")
			if rec.Code != row.status || row.code != "" && code(t, rec) != row.code {
				t.Errorf("answered %d %s", rec.Code, rec.Body)
			}
		})
	}
}

func TestErrorsAnswersWhereThereIsNoRoute(t *testing.T) {
	t.Parallel()
	app := newApp(t, nil)
	e := newEcho()
	e.Use(app.Errors())
	e.GET("/own", func(echo.Context) error { return nil })
	if rec := send(e, http.MethodGet, "/nowhere"); rec.Code != http.StatusNotFound || code(t, rec) != "not_found" {
		t.Errorf("a path without a route: %d %s", rec.Code, rec.Body)
	}
	rec := send(e, http.MethodPut, "/own")
	if rec.Code != http.StatusMethodNotAllowed || code(t, rec) != "method_not_allowed" || rec.Header().Get("Allow") == "" {
		t.Errorf("another method: %d %v %s", rec.Code, rec.Header(), rec.Body)
	}
}

func TestErrorsLogsWhatItHides(t *testing.T) {
	t.Parallel()
	log := newLines()
	app := newApp(t, &coglex.Options{Logger: log.logger()})
	e := newEcho()
	e.Use(app.Errors())
	e.GET("/own", func(echo.Context) error { panic("the ceiling fell") })
	rec := send(e, http.MethodGet, "/own")
	if rec.Code != http.StatusInternalServerError || code(t, rec) != "internal" {
		t.Errorf("answered %d %s", rec.Code, rec.Body)
	}
	if line := log.next("request failed"); line["request_id"] != rec.Header().Get("X-Request-Id") {
		t.Errorf("logged %v", line)
	}
}
