package signals_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/imadelakhaldev/coglex/signals"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type paid struct {
	signals.Fact
	Order string
	Cents int
}

type shipped struct {
	signals.Fact
	Order string
}

type paying struct {
	signals.Intent
	Order string
	Cents int
}

type received struct {
	signals.Inbox
	ID string
}

var errTest = errors.New("out of paper")

// journal notes in which order things happened.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string{}, j.lines...)
}

// noting returns a subscriber that notes its name and returns err.
func noting[E any](j *journal, name string, err error) func(context.Context, E) error {
	return func(context.Context, E) error {
		j.note(name)
		return err
	}
}

// logged returns a bus with the text that it logs.
func logged(opts signals.Options) (*signals.Bus, *logText) {
	text := new(logText)
	opts.Logger = slog.New(slog.NewTextHandler(text, nil))
	return signals.NewBus(&opts), text
}

type logText struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
