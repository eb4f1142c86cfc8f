package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

// paymentPath is where payments are.
const paymentPath = "/service/payment/v1/"

// startPayment runs a gateway with payments, the records being in another process,
// and Stripe at a URL. It returns how many events waited when it began.
func startPayment(tb testing.TB, db *database, stripe string, env ...string) (*gateway, int) {
	tb.Helper()
	g := &gateway{cmd: exec.Command(build(tb, "./e2e/cmd/paymentgateway")), stderr: new(lockedBuffer), done: make(chan struct{})}
	g.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "MONGODB_URI=" + db.URI, "SERVER_SECRET=" + secret, "STRIPE_API_BASE=" + stripe,
		"STRIPE_SECRET_KEY=" + paymenttest.DefaultKey, "STRIPE_WEBHOOK_SECRET=" + paymenttest.DefaultWebhookSecret,
	}, env...)
	g.cmd.Stderr = g.stderr
	stdout, err := g.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := g.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	count, err := lines.ReadString('\n')
	waiting := 0
	if err == nil {
		waiting, err = strconv.Atoi(strings.TrimSpace(count))
	}
	if err == nil {
		g.URL, err = lines.ReadString('\n')
		g.URL = strings.TrimSpace(g.URL)
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		g.err = g.cmd.Wait()
		close(g.done)
	}()
	tb.Cleanup(g.kill)
	if err != nil {
		<-g.done
		tb.Fatalf("the gateway did not start: %v, %v\n%s", err, g.err, g.stderr)
	}
	return g, waiting
}

// sold is an event that only its subscribers know.
func sold(id string) string {
	return fmt.Sprintf(`{"id":%q,"object":"event","api_version":"2023-10-16","created":%d,"livemode":false,"type":"test.sold","data":{"object":{"id":"sale_1","object":"sale"}}}`,
		id, time.Now().Unix())
}

// report posts an event as Stripe does.
func (g *gateway) report(client *http.Client, body string) (status int, err error) {
	a, err := g.try(client, http.MethodPost, paymentPath+"webhook", body,
		"Stripe-Signature: "+paymenttest.Sign([]byte(body), time.Now(), paymenttest.DefaultWebhookSecret))
	return a.status, err
}

// ledger is how often each event was handled.
func (g *gateway) ledger(tb testing.TB) map[string]int {
	tb.Helper()
	times := map[string]int{}
	g.read(tb, "/ledger", &times)
	return times
}

// told are the lines that the subscribers wrote.
func (g *gateway) told(tb testing.TB) []string {
	tb.Helper()
	var lines []string
	g.read(tb, "/told", &lines)
	return lines
}

func (g *gateway) read(tb testing.TB, path string, into any) {
	tb.Helper()
	a := g.call(tb, http.MethodGet, path, "")
	if err := json.Unmarshal(a.body, into); err != nil || a.status != http.StatusOK {
		tb.Fatalf("%s: %d %s %v", path, a.status, a.body, err)
	}
}

// soon waits until something is so.
func soon(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-limit.C:
			tb.Fatalf("not within two minutes: %s", what)
		case <-look.C:
		}
	}
}
