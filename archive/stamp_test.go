package archive_test

import (
	"context"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/signals"
)

func TestAnInterceptorStampsFiles(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	signals.Intercept(g.app.Signals(), func(_ context.Context, e *archive.Uploading) error {
		e.Stamp = append(e.Stamp, bson.E{Key: "owner", Value: "ada"})
		return nil
	})
	signals.Intercept(g.app.Signals(), func(_ context.Context, e *archive.Uploading) error {
		e.Stamp = append(e.Stamp, bson.E{Key: "checked", Value: true})
		return nil
	})
	rows := map[string][]part{
		"nothing is said":               {file("a.txt", "hello")},
		"the uploader says otherwise":   {metadata(`{"owner": "eve", "kind": "text"}`), file("a.txt", "hello")},
		"and says it behind the file":   {file("a.txt", "hello"), metadata(`{"kind": "text", "owner": {"$oid": "0123456789abcdef01234567"}}`)},
		"and says it in another member": {metadata(`{"kind": {"owner": "eve"}}`), file("a.txt", "hello")},
	}
	for name, parts := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := g.on(t).upload("/", parts...).file()
			if owner, _ := f.Metadata.Lookup("owner").StringValueOK(); owner != "ada" {
				t.Errorf("stamped %s", f.Metadata)
			}
			if checked, _ := f.Metadata.Lookup("checked").BooleanOK(); !checked {
				t.Errorf("stamped %s", f.Metadata)
			}
			if fields, err := f.Metadata.Elements(); err != nil || strings.Count(string(f.Metadata), "owner\x00") > 1 && len(fields) != 3 {
				t.Errorf("%s: %v", f.Metadata, err)
			}
			stored, err := g.files.Stat(t.Context(), f.ID)
			if err != nil || stored.Metadata.String() != f.Metadata.String() {
				t.Errorf("stored %s, %v; answered %s", stored.Metadata, err, f.Metadata)
			}
		})
	}
	f, err := g.files.Put(t.Context(), "b.txt", strings.NewReader("hello"), &archive.PutOptions{Metadata: bson.M{"owner": "eve"}})
	if owner, _ := f.Metadata.Lookup("owner").StringValueOK(); err != nil || owner != "ada" {
		t.Errorf("Put stamped %s, %v", f.Metadata, err)
	}
}

func TestAStampThatIsNoneKeepsNothing(t *testing.T) {
	t.Parallel()
	g := newGateway(t, nil)
	signals.Intercept(g.app.Signals(), func(_ context.Context, e *archive.Uploading) error {
		e.Stamp = bson.D{{Key: "owner", Value: make(chan int)}}
		return nil
	})
	g.upload("/", file("a.txt", "hello")).refused(500, "internal", "")
	g.empty()
}
