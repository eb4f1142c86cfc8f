package archive_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/archive/archivetest"
	"github.com/imadelakhaldev/coglex/internal/dbtest"
)

// orphan puts bytes without a record into the store.
func (g *gateway) orphan(key string) {
	g.Helper()
	if err := g.store.Create(g.Context(), strings.Repeat(key, 32), strings.NewReader("orphan")); err != nil {
		g.Fatal(err)
	}
}

// future is a clock that is later than the store's by this.
func future(by time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(by) } }

func TestASweepDeletesWhatNobodyKnows(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &archive.Options{Now: future(25 * time.Hour)})
	kept := []archive.File{g.put("a", "1"), g.put("b", "2"), g.put("c", "3")}
	g.orphan("a")
	g.orphan("b")
	report, err := g.files.Sweep(t.Context(), nil)
	if diff := cmp.Diff(archive.SweepReport{Files: 3, Deleted: 2, Bytes: 12}, report); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, f := range kept {
		g.do("GET", "/"+f.ID, "").want(200)
	}
	if n := len(g.keys()); n != 3 {
		t.Errorf("%d in the store", n)
	}
	if report, err := g.files.Sweep(t.Context(), nil); report.Deleted != 0 || err != nil {
		t.Error(report, err)
	}
}

func TestASweepLeavesWhatIsYoung(t *testing.T) {
	t.Parallel()
	g := newGateway(t, &archive.Options{Now: future(23 * time.Hour)})
	g.put("a", "1")
	g.orphan("a")
	for _, opts := range []*archive.SweepOptions{nil, {Grace: 48 * time.Hour}} {
		if report, err := g.files.Sweep(t.Context(), opts); report.Deleted != 0 || err != nil {
			t.Error(report, err)
		}
	}
	if report, err := g.files.Sweep(t.Context(), &archive.SweepOptions{Grace: time.Hour}); report.Deleted != 1 || err != nil {
		t.Error(report, err)
	}
}

func TestASweepOfTheWrongDatabaseDeletesNothing(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	g.put("a", "1")
	g.put("b", "2")
	wrong := newGatewayOn(t, dbtest.Database(t), g.store, &archive.Options{Now: future(25 * time.Hour)})
	report, err := wrong.files.Sweep(t.Context(), nil)
	if !errors.Is(err, archive.ErrSweepRefused) || report.Deleted != 0 || len(g.keys()) != 2 {
		t.Error(report, err)
	}
	if report, err := wrong.files.Sweep(t.Context(), &archive.SweepOptions{Force: true}); report.Deleted != 2 || err != nil {
		t.Error(report, err)
	}
}

func TestRecordsWithoutBytesAreReported(t *testing.T) {
	t.Parallel()
	db := dbtest.Database(t)
	clock := newClock()
	g := newGatewayOn(t, db, archivetest.Memory(), &archive.Options{Now: clock.now})
	a, b := g.put("a", "1"), g.put("b", "2")
	// Somebody forgot to mount the folder.
	empty := newGatewayOn(t, db, archivetest.Memory(), &archive.Options{Now: clock.now})
	if report, err := empty.files.Sweep(t.Context(), nil); report.Missing != 0 || err != nil {
		t.Error("what is young counts", report, err)
	}
	clock.move(25 * time.Hour)
	report, err := empty.files.Sweep(t.Context(), nil)
	if diff := cmp.Diff(archive.SweepReport{Missing: 2, MissingIDs: []string{a.ID, b.ID}}, report); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if report, err := empty.files.Sweep(t.Context(), &archive.SweepOptions{RemoveMissing: true}); !errors.Is(err, archive.ErrSweepRefused) || report.Removed != 0 {
		t.Error(report, err)
	}
	if n := len(g.do("GET", "/", "").files()); n != 2 {
		t.Errorf("%d records are left", n)
	}
	if report, err := empty.files.Sweep(t.Context(), &archive.SweepOptions{RemoveMissing: true, Force: true}); report.Removed != 2 || err != nil {
		t.Error(report, err)
	}
	if n := len(g.do("GET", "/", "").files()); n != 0 {
		t.Errorf("%d records are left", n)
	}
}

// lateStore lists what it has, and then does something else.
type lateStore struct {
	archive.Store
	between func()
}

func (s lateStore) List(ctx context.Context) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		for e, err := range s.Store.List(ctx) {
			if !yield(e, err) {
				return
			}
		}
		s.between()
	}
}

func TestAFileThatComesDuringASweepStays(t *testing.T) {
	t.Parallel()
	var g *gateway
	var id string
	store := lateStore{archivetest.Memory(), func() { id = g.put("late", "x").ID }}
	g = newGatewayOn(t, dbtest.Database(t), store, &archive.Options{Now: func() time.Time { return time.Now().Add(-time.Hour) }})
	report, err := g.files.Sweep(t.Context(), &archive.SweepOptions{Grace: -time.Second, RemoveMissing: true, Force: true})
	if err != nil || report.Removed != 0 || report.Missing != 0 {
		t.Error(report, err)
	}
	g.do("GET", "/"+id, "").want(200)
}

func TestSpentTicketsAreForgotten(t *testing.T) {
	t.Parallel()
	clock := newClock()
	g := newGateway(t, &archive.Options{Secret: secret, Now: clock.now})
	address := g.do("POST", "/tickets", "").link()
	body, contentType := form(file("a", "b"))
	g.open("POST", address, body, "Content-Type", contentType).want(201)
	if report, err := g.files.Sweep(t.Context(), nil); report.Tickets != 0 || err != nil {
		t.Error(report, err)
	}
	clock.move(25*time.Hour + time.Second)
	if report, err := g.files.Sweep(t.Context(), nil); report.Tickets != 1 || err != nil {
		t.Error(report, err)
	}
	if n, err := g.db.Collection("_ARCHIVE_TICKETS").CountDocuments(t.Context(), bson.D{}); n != 0 || err != nil {
		t.Error(n, err)
	}
}

// An upload that began while its ticket held may end when it holds no more: then a
// sweep must not have forgotten that another was faster.
func TestASweepDoesNotRenewATicket(t *testing.T) {
	t.Parallel()
	clock := newClock()
	var slow atomic.Bool
	var meanwhile func()
	store := archivetest.Faulty(archivetest.Memory(), archivetest.Faults{Created: func(context.Context, string) error {
		if slow.CompareAndSwap(true, false) {
			meanwhile()
		}
		return nil
	}})
	g := newGatewayOn(t, dbtest.Database(t), store, &archive.Options{Secret: secret, Now: clock.now})
	address := g.do("POST", "/tickets", "").link()
	body, contentType := form(file("a", "b"))
	meanwhile = func() {
		g.open("POST", address, body, "Content-Type", contentType).want(201)
		clock.move(time.Hour + time.Second)
		if _, err := g.files.Sweep(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}
	slow.Store(true)
	g.open("POST", address, body, "Content-Type", contentType).refused(409, "ticket_used", "")
}

// A client that gives the bytes and then dawdles gets no record of what was swept.
func TestASweepIsNotRecorded(t *testing.T) {
	t.Parallel()
	clock := newClock()
	g := newGatewayOn(t, dbtest.Database(t), archivetest.Memory(), &archive.Options{Now: clock.now})
	body, contentType := form(file("a", "b"), metadata(`{}`))
	at := strings.Index(body, "metadata")
	r := httptest.NewRequestWithContext(t.Context(), "POST", prefix+"/", io.MultiReader(
		strings.NewReader(body[:at]), readerFunc(func([]byte) (int, error) { clock.move(24 * time.Hour); return 0, io.EOF }), strings.NewReader(body[at:])))
	r.Header.Set("X-API-Key", apiKey)
	r.Header.Set("Content-Type", contentType)
	g.send(r).refused(400, "invalid", "too slowly")
	g.empty()
}

func TestItSweepsByItself(t *testing.T) {
	t.Parallel()
	var lists atomic.Int64
	third := make(chan struct{})
	store := lateStore{archivetest.Memory(), func() {
		if lists.Add(1) == 3 {
			close(third)
		}
	}}
	g := newGatewayOn(t, dbtest.Database(t), store, &archive.Options{SweepEvery: time.Millisecond})
	for range 2 { // idempotent
		if err := g.files.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	<-third
	for range 2 {
		if err := g.files.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	n := lists.Load()
	never := newGatewayOn(t, g.db, store, &archive.Options{SweepEvery: -1})
	if err := never.files.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := never.files.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lists.Load() != n {
		t.Error("it sweeps when it should not")
	}
}
