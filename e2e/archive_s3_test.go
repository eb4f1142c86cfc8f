package e2e_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/labstack/echo/v4"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/archive/archivetest"
	"github.com/imadelakhaldev/coglex/archive/s3store"
)

// s3Client returns a client of a server.
func s3Client(t *testing.T, handler http.Handler) *minio.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := minio.New(strings.TrimPrefix(server.URL, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4("key", "a-secret-of-s3", ""), Region: "us-east-1", MaxRetries: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newS3 returns a Store in a bucket of a server in memory that knows S3.
func newS3(t *testing.T, between func(http.Handler) http.Handler) (*s3store.Store, *minio.Client) {
	t.Helper()
	handler := gofakes3.New(s3mem.New()).Server()
	if between != nil {
		handler = between(handler)
	}
	client := s3Client(t, handler)
	store, err := s3store.New(client, "bucket", &s3store.Options{Prefix: "files/", PartSize: s3store.MinPartSize})
	if err != nil {
		t.Fatal(err)
	}
	return store, client
}

func TestS3(t *testing.T) {
	t.Parallel()
	archivetest.TestStore(t, func(t *testing.T) archive.Store {
		t.Helper()
		store, _ := newS3(t, nil)
		return store
	})
}

func TestS3Links(t *testing.T) {
	t.Parallel()
	store, _ := newS3(t, nil)
	key, want := archivetest.Key(), []byte("what is linked")
	if err := errors.Join(store.Ready(t.Context()), store.Create(t.Context(), key, bytes.NewReader(want))); err != nil {
		t.Fatal(err)
	}
	link, err := store.Link(t.Context(), key, archive.LinkRequest{
		Expires: time.Minute, Disposition: `attachment; filename="a b.txt"`, Type: "text/plain",
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(link, "a-secret-of-s3") || !strings.Contains(link, "X-Amz-Signature=") || !strings.Contains(link, "X-Amz-Expires=60") {
		t.Errorf("the link is %s", link)
	}
	resp, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK || !bytes.Equal(got, want) || err != nil {
		t.Errorf("the link yields %d, %q, %v", resp.StatusCode, got, err)
	}
	for name, want := range map[string]string{"Content-Disposition": `attachment; filename="a b.txt"`, "Content-Type": "text/plain"} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, expires := range []time.Duration{0, -time.Second, 8 * 24 * time.Hour} {
		if link, err := store.Link(t.Context(), key, archive.LinkRequest{Expires: expires}); err == nil {
			t.Errorf("a link for %v: %s", expires, link)
		}
	}
	if link, err := store.Link(t.Context(), "../"+key, archive.LinkRequest{Expires: time.Minute}); err == nil {
		t.Errorf("a link to what is not ours: %s", link)
	}
}

func TestS3LeavesOtherObjectsAlone(t *testing.T) {
	t.Parallel()
	store, client := newS3(t, nil)
	if err := store.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"readme", archivetest.Key(), "files/readme", "files/sub/" + archivetest.Key()} {
		if _, err := client.PutObject(t.Context(), "bucket", name, strings.NewReader("x"), 1, minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for e, err := range store.List(t.Context()) {
		t.Errorf("List yields %+v, %v", e, err)
	}
}

// refuse answers requests of a kind with an error of S3.
func refuse(status int, code string, which func(*http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !which(r) {
				next.ServeHTTP(w, r)
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>no</Message></Error>")
		})
	}
}

func TestS3ThatIsFull(t *testing.T) {
	t.Parallel()
	object := func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Count(r.URL.Path, "/") > 2 && r.URL.Query().Get("partNumber") != "1"
	}
	for name, between := range map[string]func(http.Handler) http.Handler{
		"of the disk":    refuse(http.StatusInsufficientStorage, "XMinioStorageFull", object),
		"of the quota":   refuse(http.StatusBadRequest, "XMinioAdminBucketQuotaExceeded", object),
		"of another one": refuse(http.StatusForbidden, "QuotaExceeded", object),
	} {
		for size, body := range map[string]int{"at once": 100, "in parts": 12 << 20} {
			t.Run(name+" "+size, func(t *testing.T) {
				t.Parallel()
				store, _ := newS3(t, between)
				if err := store.Ready(t.Context()); err != nil {
					t.Fatal(err)
				}
				err := store.Create(t.Context(), archivetest.Key(), bytes.NewReader(make([]byte, body)))
				if !errors.Is(err, archive.ErrNoSpace) {
					t.Errorf("%v, want archive.ErrNoSpace", err)
				}
				for e := range store.List(t.Context()) {
					t.Errorf("left: %+v", e)
				}
			})
		}
	}
}

func TestS3WithoutConditions(t *testing.T) {
	t.Parallel()
	store, _ := newS3(t, refuse(http.StatusNotImplemented, "NotImplemented", func(r *http.Request) bool {
		return r.Header.Get("If-None-Match") != ""
	}))
	if err := store.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 100, 6 << 20} {
		key, want := archivetest.Key(), make([]byte, size)
		rand.Read(want)
		if err := store.Create(t.Context(), key, bytes.NewReader(want)); err != nil {
			t.Fatal(err)
		}
		if err := store.Create(t.Context(), key, bytes.NewReader([]byte("other"))); err == nil {
			t.Error("what exists is overwritten")
		}
		r, err := store.Open(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, %v, want the %d that were kept", len(got), err, size)
		}
		r.Close()
	}
}

// An answer that ends too soon is never taken for the whole.
func TestS3ThatHangsUp(t *testing.T) {
	t.Parallel()
	store, _ := newS3(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/files/") {
				w.Header().Set("Content-Length", "1000")
				w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
				_, _ = w.Write(make([]byte, 10))
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
		})
	})
	key := archivetest.Key()
	if err := errors.Join(store.Ready(t.Context()), store.Create(t.Context(), key, bytes.NewReader(make([]byte, 1000)))); err != nil {
		t.Fatal(err)
	}
	r, err := store.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); err == nil || len(b) != 10 {
		t.Errorf("%d bytes, %v, want the 10 and an error", len(b), err)
	}
}

// The whole archive on S3: what goes up through the gateway comes down from the
// service itself.
func TestS3ServesDownloads(t *testing.T) {
	t.Parallel()
	store, _ := newS3(t, nil)
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(startDatabase(t).URI))
	if err != nil {
		t.Fatal(err)
	}
	files, err := archive.New(client.Database("coglex"), store, &archive.Options{Redirect: true, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	app, err := coglex.New(secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	if err := errors.Join(app.Mount(e, files), app.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(app.Handler(e))
	t.Cleanup(server.Close)
	g := &gateway{URL: server.URL}

	want := make([]byte, 6<<20)
	rand.Read(want)
	file, status, err := g.upload(http.DefaultClient, `a "b".bin`, want)
	if err != nil || status != http.StatusCreated {
		t.Fatalf("the upload: %d, %v", status, err)
	}
	stays := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a, err := g.try(stays, http.MethodGet, archivePath+file.ID, "", "X-API-Key: "+secret)
	if err != nil || a.status != http.StatusTemporaryRedirect {
		t.Fatalf("the download: %d, %v", a.status, err)
	}
	resp, err := http.Get(a.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !bytes.Equal(got, want) {
		t.Errorf("the service yields %d with %d bytes, %v, want the %d that were kept", resp.StatusCode, len(got), err, len(want))
	}
	kind, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
	if err != nil || kind != "attachment" || params["filename"] != file.Name {
		t.Errorf("Content-Disposition: %q, want an attachment named %q", resp.Header.Get("Content-Disposition"), file.Name)
	}
	if a := g.call(t, http.MethodDelete, archivePath+file.ID, "", "X-API-Key: "+secret); a.status != http.StatusOK {
		t.Errorf("the delete: %d %s", a.status, a.body)
	}
	for entry, err := range store.List(t.Context()) {
		t.Errorf("left in the bucket: %+v, %v", entry, err)
	}
}

func TestS3TellsAllMistakesTogether(t *testing.T) {
	t.Parallel()
	_, err := s3store.New(nil, "B", &s3store.Options{Prefix: "/files", PartSize: 1})
	for _, part := range []string{"client", "bucket", "Options.PartSize", "Options.Prefix"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v: nothing of %s", err, part)
		}
	}
}
