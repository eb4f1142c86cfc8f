package e2e_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// TestPaymentOneEventAtManyInstances sends each event 100 times at once to three
// gateways on one database: it is handled once.
func TestPaymentOneEventAtManyInstances(t *testing.T) {
	t.Parallel()
	db := startDatabase(t)
	var gateways []*gateway
	for range 3 {
		g, _ := startPayment(t, db, "http://127.0.0.1:1")
		gateways = append(gateways, g)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	defer client.CloseIdleConnections()
	const events, copies = 5, 100
	for event := range events {
		body := sold(fmt.Sprintf("evt_%d", event))
		var all sync.WaitGroup
		for i := range copies {
			all.Go(func() {
				if status, err := gateways[i%len(gateways)].report(client, body); err != nil || status != http.StatusOK {
					t.Errorf("%d %v", status, err)
				}
			})
		}
		all.Wait()
	}
	// What is handled a second time would be so before what comes later.
	for i, g := range gateways {
		if status, err := g.report(client, sold(fmt.Sprintf("evt_last_%d", i))); err != nil || status != http.StatusOK {
			t.Fatal(status, err)
		}
	}
	soon(t, "every event is handled", func() bool { return len(gateways[0].ledger(t)) == events+len(gateways) })
	for id, n := range gateways[0].ledger(t) {
		if n != 1 {
			t.Errorf("%s was handled %d times", id, n)
		}
	}
}
