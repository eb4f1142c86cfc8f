package storage

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/bson"
)

// dripping is a connection whose client takes so long for each write.
type dripping struct {
	*httptest.ResponseRecorder

	takes    time.Duration
	deadline time.Time
}

func (d *dripping) SetWriteDeadline(t time.Time) error {
	d.deadline = t
	return nil
}

func (d *dripping) Write(data []byte) (int, error) {
	if wait := time.Until(d.deadline); d.takes > wait {
		time.Sleep(wait)
		return 0, os.ErrDeadlineExceeded
	}
	time.Sleep(d.takes)
	return len(data), nil
}

// Inside the bubble time passes only where somebody waits.
func TestASlowReaderCannotHoldAnExport(t *testing.T) {
	t.Parallel()
	doc, err := bson.Marshal(bson.M{"text": strings.Repeat("x", exportChunk)})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name  string
		takes time.Duration
		ok    bool
	}{
		{"a quick one", time.Millisecond, true},
		{"one at the rate", 2 * time.Second, true},
		{"one that is within each chunk's time", 20 * time.Second, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var err error
				began := time.Now()
				d := &dripping{ResponseRecorder: httptest.NewRecorder(), takes: row.takes}
				c := echo.New().NewContext(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), d)
				w := &lineWriter{c: c, control: http.NewResponseController(d), pace: pace{rate: exportRate}}
				for range 100 {
					if err = w.add(doc, nil); err != nil {
						break
					}
				}
				if (err == nil) != row.ok || err != nil && !errors.Is(err, errClient) {
					t.Errorf("ended with %v", err)
				}
				if took := time.Since(began); !row.ok && took > time.Minute {
					t.Errorf("it held for %s", took)
				}
			})
		})
	}
}
