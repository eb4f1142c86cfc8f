package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
)

// TestPaymentKilledBetweenStoreAndHandling kills a gateway 50 times while events
// come in, right after it has acknowledged one. Every event that it acknowledged is
// handled in the end. It is handled more than once only where its handling was
// itself cut off.
func TestPaymentKilledBetweenStoreAndHandling(t *testing.T) {
	t.Parallel()
	const rounds, posters = 50, 4
	db := startDatabase(t)
	acknowledged := map[string]bool{}
	interrupted := 0
	for round := range rounds {
		g, waiting := startPayment(t, db, "http://127.0.0.1:1", "LEASE=300ms")
		if waiting > 0 {
			interrupted++
		}
		for _, id := range postUntilKilled(g, round, posters, 1+rand.IntN(10)) {
			acknowledged[id] = true
		}
	}
	if interrupted < rounds/2 {
		t.Fatalf("only %d of %d kills came between store and handling: they prove little", interrupted, rounds)
	}

	g, waiting := startPayment(t, db, "http://127.0.0.1:1", "LEASE=300ms")
	var times map[string]int
	lost := func() (n int) {
		times = g.ledger(t)
		for id := range acknowledged {
			if times[id] == 0 {
				n++
			}
		}
		return n
	}
	soon(t, "every acknowledged event is handled", func() bool { return lost() == 0 })
	again := 0
	for _, n := range times {
		again += n - 1
	}
	// Workers is 4: so many can be in hand when the process dies.
	if again > rounds*4 {
		t.Errorf("%d were handled again, of %d", again, len(times))
	}
	t.Logf("%d events acknowledged in %d lives, %d in the inbox waited at the last start, %d handled again, none lost", len(acknowledged), rounds, waiting, again)
}

// postUntilKilled has several senders post events, kills the gateway as soon as it
// has acknowledged so many, and returns which.
func postUntilKilled(g *gateway, round, posters, acks int) []string {
	transport := &http.Transport{MaxIdleConnsPerHost: posters}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var (
		mu           sync.Mutex
		acknowledged []string
		senders      sync.WaitGroup
	)
	for poster := range posters {
		senders.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("evt_%d_%d_%d", round, poster, n)
				status, err := g.report(client, sold(id))
				if err != nil {
					return // it is dead
				}
				if status != http.StatusOK {
					continue
				}
				mu.Lock()
				acknowledged = append(acknowledged, id)
				if len(acknowledged) == acks {
					_ = g.cmd.Process.Kill()
				}
				mu.Unlock()
			}
		})
	}
	senders.Wait()
	<-g.done
	return acknowledged
}
