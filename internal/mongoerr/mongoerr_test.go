package mongoerr_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/x/mongo/driver/topology"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/internal/mongoerr"
)

// command is a server's error of a code.
func command(code int32) error { return mongo.CommandError{Code: code, Message: "the secret value"} }

// write is a server's error of a code about one write.
func write(code int) error {
	return mongo.WriteException{WriteErrors: mongo.WriteErrors{{Code: code, Message: "the secret value"}}}
}

// bulk is a server's error of a code about one of several writes.
func bulk(code int) error {
	return mongo.BulkWriteException{WriteErrors: []mongo.BulkWriteError{{WriteError: mongo.WriteError{Code: code, Message: "the secret value"}}}}
}

// timeout is a network error that says it took too long.
type timeout struct{}

func (timeout) Error() string   { return "i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

var _ net.Error = timeout{}

func TestProblem(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		err    error
		status int
		code   string
	}{
		"a key that is taken":                {write(11000), 409, "duplicate_key"},
		"a key that is taken, by many":       {bulk(11000), 409, "duplicate_key"},
		"a key that is taken, by an update":  {command(11000), 409, "duplicate_key"},
		"a value that is refused":            {command(2), 400, "invalid"},
		"an update that is refused":          {write(40), 400, "invalid"},
		"one of many that is refused":        {bulk(14), 400, "invalid"},
		"an expression that is refused":      {command(16410), 400, "invalid"},
		"an update's expression that is":     {write(16837), 400, "invalid"},
		"one of many expressions":            {bulk(5787900), 400, "invalid"},
		"a conversion that fails":            {command(241), 400, "invalid"},
		"a document nested too deep":         {write(15), 400, "invalid"},
		"a write to a view":                  {command(166), 400, "invalid"},
		"a search without its index":         {command(27), 501, "unsupported"},
		"a place without its index":          {command(291), 501, "unsupported"},
		"a group beyond its memory":          {command(146), 422, "too_expensive"},
		"a server that is busy":              {command(365), 503, "database_unavailable"},
		"a cursor that was killed":           {command(237), 503, "database_unavailable"},
		"a shard that moved":                 {command(13388), 503, "database_unavailable"},
		"a document that is too large":       {write(10334), 413, "too_large"},
		"a document that fails validation":   {write(121), 422, "validation_failed"},
		"a sort that needs the disk":         {command(292), 422, "too_expensive"},
		"a command the server lacks":         {command(59), 501, "unsupported"},
		"a stage the server lacks":           {command(40324), 501, "unsupported"},
		"what is not implemented":            {command(238), 501, "unsupported"},
		"a transaction without a set":        {command(20), 501, "unsupported"},
		"an operation past its time":         {command(50), 504, "timeout"},
		"a write past its time":              {write(50), 504, "timeout"},
		"a deadline":                         {context.DeadlineExceeded, 504, "timeout"},
		"a deadline inside":                  {fmt.Errorf("finding: %w", context.DeadlineExceeded), 504, "timeout"},
		"a connection that is slow":          {topology.ConnectionError{Wrapped: timeout{}}, 504, "timeout"},
		"a network that is slow":             {mongo.CommandError{Labels: []string{"NetworkError", "NetworkTimeoutError"}}, 504, "timeout"},
		"a connection that broke":            {topology.ConnectionError{Wrapped: errors.New("EOF")}, 503, "database_unavailable"},
		"a network that broke":               {mongo.CommandError{Labels: []string{"NetworkError"}}, 503, "database_unavailable"},
		"no server":                          {topology.ServerSelectionError{Wrapped: topology.ErrServerSelectionTimeout}, 503, "database_unavailable"},
		"no server within the deadline":      {topology.ServerSelectionError{Wrapped: context.DeadlineExceeded}, 503, "database_unavailable"},
		"no connection free in time":         {topology.WaitQueueTimeoutError{Wrapped: context.DeadlineExceeded}, 503, "database_unavailable"},
		"a client that was disconnected":     {mongo.ErrClientDisconnected, 503, "database_unavailable"},
		"a server that is no primary":        {command(10107), 503, "database_unavailable"},
		"a server that steps down":           {write(189), 503, "database_unavailable"},
		"a server that shuts down":           {command(11600), 503, "database_unavailable"},
		"wrapped in the service's own words": {fmt.Errorf("storage: inserting: %w", write(11000)), 409, "duplicate_key"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := mongoerr.Problem(row.err)
			if p == nil || p.Status != row.status || p.Code != row.code {
				t.Fatalf("problem = %+v, want %d %s", p, row.status, row.code)
			}
			if p.Detail == "" || strings.Contains(p.Detail, "secret") {
				t.Errorf("detail = %q, want words of ours", p.Detail)
			}
			if !errors.Is(p, row.err) && p.Err.Error() != row.err.Error() {
				t.Errorf("cause = %v, want the driver's error for the log", p.Err)
			}
			if again := p.RetryAfter > 0; again != (row.status == 503) {
				t.Errorf("retry after = %s, want one with 503 only", p.RetryAfter)
			}
		})
	}
}

func TestProblemKnowsNoOther(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		nil, errors.New("of a service"), mongo.ErrNoDocuments, context.Canceled,
		command(13), // Unauthorized: a mistake of the gateway's settings
		command(1),  // InternalError
	} {
		if p := mongoerr.Problem(err); p != nil {
			t.Errorf("problem of %v = %+v, want none", err, p)
		}
	}
}

func TestProblemOfARealServer(t *testing.T) {
	t.Parallel()
	users := dbtest.Database(t).Collection("users")
	insert := func(id any) error {
		_, err := users.InsertOne(t.Context(), bson.D{{Key: "_id", Value: id}})
		return err
	}
	if err := insert("ann"); err != nil {
		t.Fatal(err)
	}
	if p := mongoerr.Problem(insert("ann")); p == nil || p.Code != "duplicate_key" {
		t.Errorf("a second ann = %+v, want duplicate_key", p)
	}
	_, err := users.UpdateOne(t.Context(), bson.D{}, bson.D{{Key: "$inc", Value: bson.D{{Key: "_id", Value: "x"}}}})
	if p := mongoerr.Problem(err); p == nil || p.Status != 400 {
		t.Errorf("an increment by a word = %+v of %v, want 400", p, err)
	}
	_, err = users.Aggregate(t.Context(), mongo.Pipeline{{{Key: "$noSuchStage", Value: bson.D{}}}})
	if p := mongoerr.Problem(err); p == nil || p.Status != 501 && p.Status != 400 { // FerretDB has another code for it
		t.Errorf("an unknown stage = %+v of %v, want 501 or 400", p, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	err = users.FindOne(ctx, bson.D{}).Err()
	if p := mongoerr.Problem(err); p == nil || p.Status != 503 && p.Status != 504 {
		t.Errorf("a deadline that is over = %+v of %v, want 503 or 504", p, err)
	}
}

func TestProblemOfAServerThatIsAway(t *testing.T) {
	t.Parallel()
	server := dbtest.NewServer(t)
	posts := dbtest.Connect(t, server.URI()+"?serverSelectionTimeoutMS=200").Database("test").Collection("posts")
	if _, err := posts.InsertOne(t.Context(), bson.D{}); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	for range 2 { // on the broken connection, then without a server
		_, err := posts.InsertOne(t.Context(), bson.D{})
		if p := mongoerr.Problem(err); p == nil || p.Code != "database_unavailable" || !mongoerr.IsUnavailable(err) {
			t.Errorf("a write = %+v of %v, want database_unavailable", p, err)
		}
		err = posts.FindOne(t.Context(), bson.D{}).Err()
		if p := mongoerr.Problem(err); p == nil || p.Code != "database_unavailable" {
			t.Errorf("a read = %+v of %v, want database_unavailable", p, err)
		}
	}
}
