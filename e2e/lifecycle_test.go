package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	key     = "X-API-Key: " + secret
	books   = "/service/storage/v1/books"
	signup  = "/service/auth/v1/signup"
	signin  = "/service/auth/v1/signin"
	session = "/service/auth/v1/session"
)

func TestSignalsEndTheGatewayCleanly(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			g := start(t, dir, "SERVER_SECRET="+secret)
			if a := g.call(t, "POST", books, `{"document": {"_id": "dune"}}`, key); a.status != 201 {
				t.Fatalf("insert: %d %s", a.status, a.body)
			}
			if err := g.stop(t, sig); err != nil {
				t.Fatalf("the gateway ended with %v\n%s", err, g.stderr)
			}
			again := start(t, dir, "SERVER_SECRET="+secret)
			if a := again.call(t, "GET", books+"/dune", "", key); a.status != 200 {
				t.Errorf("after a restart the document is gone: %d %s", a.status, a.body)
			}
		})
	}
}

func TestStartFailsClearly(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { busy.Close() })
	port := busy.Addr().(*net.TCPAddr).Port
	taken := t.TempDir()
	start(t, taken, "SERVER_SECRET="+secret)

	for _, tt := range []struct {
		name, dir, want string
		env             []string
	}{
		{"port in use", t.TempDir(), "SERVER_PORT: listen", []string{fmt.Sprint("SERVER_PORT=", port)}},
		{"folder in use", taken, "another server uses the folder", nil},
		{"short secret", t.TempDir(), "SERVER_SECRET", []string{"SERVER_SECRET=short"}},
		{"not a port", t.TempDir(), "SERVER_PORT:", []string{"SERVER_PORT=http"}},
		{"not a duration", t.TempDir(), "SESSION_LIFETIME: must be a number of seconds", []string{"SESSION_LIFETIME=soon"}},
		{"no duration", t.TempDir(), "JWT_ACCESS_TOKEN_EXPIRES: must be a number of seconds", []string{"JWT_ACCESS_TOKEN_EXPIRES=0"}},
		{"not a proxy", t.TempDir(), "trusted proxy", []string{"TRUSTED_PROXIES=everyone"}},
		{"not a base URL", t.TempDir(), "BaseURL", []string{"BASE_URL=example.com"}},
		{"no such database", t.TempDir(), "server selection", []string{"MONGODB_URI=mongodb://127.0.0.1:1/"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, build(t, "./examples/quickstart"))
			cmd.Dir = tt.dir
			cmd.Env = append([]string{"HOME=" + os.Getenv("HOME"), "SERVER_PORT=0", "SERVER_SECRET=" + secret}, tt.env...)
			out, err := cmd.CombinedOutput()
			if err == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("it ended with %v, want exit code 1", err)
			}
			if !strings.Contains(string(out), tt.want) {
				t.Errorf("it does not say %q:\n%s", tt.want, out)
			}
			if strings.Contains(string(out), secret) {
				t.Errorf("it tells the secret:\n%s", out)
			}
		})
	}
}

func TestAMadeSecretIsShownOnceAndNeverLogged(t *testing.T) {
	t.Parallel()
	g := start(t, t.TempDir(), "SERVER_DEBUG=true")
	_, rest, ok := strings.Cut(g.banner, "export SERVER_SECRET=")
	if !ok || !strings.Contains(g.banner, "NOT SET") {
		t.Fatalf("the banner shows no made secret:\n%s", g.banner)
	}
	made, _, _ := strings.Cut(rest, "\n")
	if a := g.call(t, "GET", "/hello", "", "X-API-Key: "+made); a.status != 200 {
		t.Errorf("the shown secret does not open /hello: %d", a.status)
	}
	if a := g.call(t, "GET", "/hello", ""); a.status != 401 {
		t.Errorf("without a key /hello answers %d", a.status)
	}
	if strings.Contains(g.stderr.String(), made) {
		t.Error("the log holds the secret")
	}
}

func TestTheLogKeepsSecrets(t *testing.T) {
	t.Parallel()
	g := start(t, t.TempDir(), "SERVER_SECRET="+secret, "SERVER_DEBUG=true")
	const password = "correct horse battery"
	body := `{"_key": "ada@example.com", "_password": "` + password + `"}`
	g.call(t, "POST", signup, body, key)
	in := g.call(t, "POST", signin, body, key)
	if in.status != 200 {
		t.Fatalf("sign-in: %d %s", in.status, in.body)
	}
	token := in.field(t, "token")
	g.call(t, "GET", "/me?token="+token, "", "Authorization: Bearer "+token)
	g.call(t, "POST", signin, `{"_key": "ada@example.com", "_password": "wrong `+password+`"}`, key)
	g.call(t, "GET", books+`?query={"$where":"`+password+`"}`, "", key)
	if err := g.stop(t, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	log := g.stderr.String()
	if !strings.Contains(log, `"path":"/me"`) {
		t.Fatalf("there is no access log:\n%s", log)
	}
	for _, hidden := range []string{secret, password, token, in.field(t, "refresh_token")} {
		if strings.Contains(log, hidden) {
			t.Errorf("the log holds %q", hidden)
		}
	}
}

func TestNoAcknowledgedWriteIsLostWhenTheGatewayIsKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	g := start(t, dir, "SERVER_SECRET="+secret)
	var acknowledged sync.Map
	var count atomic.Int64
	var writers sync.WaitGroup
	enough := make(chan struct{})
	for w := range 8 {
		writers.Go(func() {
			client := &http.Client{Timeout: 5 * time.Second}
			for n := 0; ; n++ {
				id := fmt.Sprintf("w%d-%d", w, n)
				a, err := g.try(client, "POST", books, `{"document": {"_id": "`+id+`"}}`, key)
				if err != nil {
					return // the gateway is dead
				}
				if a.status == 201 {
					acknowledged.Store(id, true)
					if count.Add(1) == 300 {
						close(enough)
					}
				}
			}
		})
	}
	<-enough
	g.kill()
	writers.Wait()
	again := start(t, dir, "SERVER_SECRET="+secret)
	lost := 0
	acknowledged.Range(func(id, _ any) bool {
		if a := again.call(t, "GET", books+"/"+id.(string), "", key); a.status != 200 {
			lost++
		}
		return true
	})
	if lost > 0 {
		t.Errorf("%d of %d acknowledged writes are gone", lost, count.Load())
	}
}

func TestTheDatabaseIsStoppedUnderLoad(t *testing.T) {
	t.Parallel()
	db := startDatabase(t)
	g := start(t, t.TempDir(), "SERVER_SECRET="+secret, "MONGODB_URI="+db.URI)
	g.call(t, "POST", books, `{"document": {"_id": "dune"}}`, key)
	load := func(n int) (answers []answer, slowest time.Duration) {
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				began := time.Now()
				var a answer
				if i%2 == 0 {
					a = g.call(t, "GET", books+"/dune", "", key)
				} else {
					a = g.call(t, "POST", books, `{"document": {}}`, key)
				}
				mu.Lock()
				defer mu.Unlock()
				answers, slowest = append(answers, a), max(slowest, time.Since(began))
			})
		}
		all.Wait()
		return answers, slowest
	}
	load(40)
	before := openFiles(t, g)
	db.kill()
	for range 3 {
		answers, slowest := load(40)
		for _, a := range answers {
			if a.status != 503 || a.header.Get("Retry-After") == "" {
				t.Fatalf("without a database: %d, Retry-After %q: %s", a.status, a.header.Get("Retry-After"), a.body)
			}
		}
		if slowest > 3*time.Second {
			t.Errorf("the slowest 503 took %s", slowest)
		}
	}
	if a := g.call(t, "GET", "/health/live", ""); a.status != 200 {
		t.Errorf("live: %d", a.status)
	}
	if a := g.call(t, "GET", "/health/ready", ""); a.status != 503 {
		t.Errorf("ready without a database: %d", a.status)
	}
	db.restart(t)
	deadline := time.Now().Add(15 * time.Second)
	for g.call(t, "GET", "/health/ready", "").status != 200 {
		if time.Now().After(deadline) {
			t.Fatal("the gateway does not find its database again")
		}
	}
	answers, _ := load(40)
	for _, a := range answers {
		if a.status != 200 && a.status != 201 {
			t.Fatalf("with its database back: %d %s", a.status, a.body)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if after := openFiles(t, g); after > before+20 {
		t.Errorf("%d files and connections are open, %d were before", after, before)
	}
}

// openFiles counts the open files of the gateway's process.
func openFiles(t *testing.T, g *gateway) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
