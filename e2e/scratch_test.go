package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestStorageAloneInSomebodysApp builds a module outside the repository that
// mounts storage, and nothing else, at a prefix of its own on an app that has
// routes already.
func TestStorageAloneInSomebodysApp(t *testing.T) {
	t.Parallel()
	dir, top := t.TempDir(), root(t)
	sums, err := os.ReadFile(filepath.Join(top, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod":  "module example.com/shop\n\ngo 1.26.0\n\nrequire github.com/imadelakhaldev/coglex v0.0.0\n\nreplace github.com/imadelakhaldev/coglex => " + top + "\n",
		"go.sum":  string(sums),
		"main.go": scratchProgram,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command(t, dir, "go", "mod", "tidy")
	for dep := range strings.Lines(command(t, dir, "go", "list", "-deps", ".")) {
		for _, heavy := range []string{"stripe/stripe-go", "google.golang.org/genai", "google.golang.org/grpc", "FerretDB", "coglex/auth"} {
			if strings.Contains(dep, heavy) {
				t.Errorf("storage alone links %s", strings.TrimSpace(dep))
			}
		}
	}
	command(t, dir, "go", "build", "-o", "shop", ".")
	db := startDatabase(t)
	cmd := exec.Command(filepath.Join(dir, "shop"), db.URI)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the shop failed: %v\n%s", err, out)
	}
	if got, want := string(out), "home 200\ninsert 201\nfind 200\nwithout key 401 application/problem+json\n"; got != want {
		t.Errorf("the shop printed\n%s\nwant\n%s", got, want)
	}
}

// command runs a go command in dir and returns what it prints.
func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

const scratchProgram = `package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/imadelakhaldev/coglex"
	"github.com/imadelakhaldev/coglex/storage"
	"github.com/labstack/echo/v4"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

const secret = "a-key-for-trying-things-0123456789"

func main() {
	ctx := context.Background()
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(os.Args[1]))
	check(err)
	e := echo.New()
	e.GET("/", func(c echo.Context) error { return c.String(http.StatusOK, "home") })

	docs, err := storage.New(client.Database("shop"), nil)
	check(err)
	app, err := coglex.New(secret, nil)
	check(err)
	check(app.MountWith(e.Group("/api"), docs, coglex.MountOptions{Prefix: "/documents"}))
	check(app.Start(ctx))

	server := httptest.NewServer(e)
	defer server.Close()
	status("home", server.URL+"/", "GET", "", secret)
	status("insert", server.URL+"/api/documents/things", "POST", ` + "`" + `{"document": {"_id": "one"}}` + "`" + `, secret)
	status("find", server.URL+"/api/documents/things/one", "GET", "", secret)
	status("without key", server.URL+"/api/documents/things/one", "GET", "", "")
	check(app.Stop(ctx))
	check(client.Disconnect(ctx))
}

func status(what, url, method, body, key string) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	check(err)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("X-API-Key", key)
	}
	resp, err := http.DefaultClient.Do(req)
	check(err)
	resp.Body.Close()
	fmt.Print(what, " ", resp.StatusCode)
	if resp.StatusCode >= 400 {
		fmt.Print(" ", resp.Header.Get("Content-Type"))
	}
	fmt.Println()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
`
