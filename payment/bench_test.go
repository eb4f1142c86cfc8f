package payment_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/imadelakhaldev/coglex/internal/dbtest"
	"github.com/imadelakhaldev/coglex/payment"
)

// invoiceEvent is an event of the size that Stripe's have, about 4 KiB, and of a type
// about which Stripe is not asked.
func invoiceEvent(id string) string {
	return strings.Replace(event(id, "invoice.sent"), `"amount"`, `"lines": "`+strings.Repeat("x", 3800)+`", "amount"`, 1)
}

// BenchmarkWebhook delivers events over HTTP connections, and measures how long
// each waits for its acknowledgement. On MongoDB when COGLEX_TEST_MONGODB_URI names
// one, else on the embedded database.
func BenchmarkWebhook(b *testing.B) {
	for _, senders := range []int{1, 8} {
		for _, handled := range []bool{false, true} {
			b.Run(fmt.Sprintf("senders=%d/handled=%t", senders, handled), func(b *testing.B) {
				benchmarkWebhook(b, senders, handled)
			})
		}
	}
}

func benchmarkWebhook(b *testing.B, senders int, handled bool) {
	b.Helper()
	in := newInbox(b, dbtest.Database(b), &clock{now: time.Now()}, nil)
	var done atomic.Int64
	in.pay.Observe(func(string, payment.State) { done.Add(1) })
	in.subscribe("count", func(payment.StripeWebhookReceived) error { return nil })
	if handled {
		in.start()
	}
	server := httptest.NewServer(in.app.Handler(in.echo))
	b.Cleanup(server.Close)
	client := server.Client()
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = senders
	var next atomic.Int64
	waits := make([][]time.Duration, senders)
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				began := time.Now()
				send(b, client, server.URL, invoiceEvent("evt_"+strconv.FormatInt(n, 10)), in.clock.Now())
				waits[i] = append(waits[i], time.Since(began))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Sorted(slices.Values(slices.Concat(waits...)))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	if handled {
		b.ReportMetric(float64(done.Load())/float64(b.N), "handled-meanwhile")
	}
}

func send(tb testing.TB, client *http.Client, url, body string, now time.Time) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, url+"/service/payment/v1/webhook", strings.NewReader(body))
	if err != nil {
		tb.Error(err)
		return
	}
	r.Header.Set("Stripe-Signature", sign(body, now, secret))
	res, err := client.Do(r)
	if err != nil {
		tb.Error(err)
		return
	}
	defer res.Body.Close()
	if answer, _ := io.ReadAll(res.Body); !bytes.Contains(answer, []byte("received")) {
		tb.Errorf("%d %s", res.StatusCode, answer)
	}
}

// BenchmarkHandle handles events that wait in the inbox, by one subscriber.
func BenchmarkHandle(b *testing.B) {
	db := dbtest.Database(b)
	in := newInbox(b, db, &clock{now: time.Now()}, nil)
	done := make(chan struct{}, 1)
	var n atomic.Int64
	in.pay.Observe(func(string, payment.State) {
		if n.Add(1) == int64(b.N) {
			done <- struct{}{}
		}
	})
	in.subscribe("count", func(payment.StripeWebhookReceived) error { return nil })
	fill(b, db, b.N, payment.StatePending)
	b.ResetTimer()
	in.start()
	<-done
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkLook looks for due events, of which there are none, among many that are
// done: what the worker does every Poll.
func BenchmarkLook(b *testing.B) {
	for _, events := range []int{1_000, 20_000} {
		b.Run(fmt.Sprintf("done=%d", events), func(b *testing.B) {
			db := dbtest.Database(b)
			in := newInbox(b, db, &clock{now: time.Now()}, nil)
			fill(b, db, events, payment.StateDone)
			if err := in.pay.EnsureIndexes(b.Context()); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if ids, err := in.pay.DueEvents(b.Context()); err != nil || len(ids) > 0 {
					b.Fatal(ids, err)
				}
			}
		})
	}
}

// fill stores events in a state, of 4 KiB each, that are due where it is pending.
func fill(tb testing.TB, db *mongo.Database, events int, state payment.State) {
	tb.Helper()
	moment := "finished"
	if state == payment.StatePending {
		moment = "due"
	}
	for begin := 0; begin < events; begin += 500 {
		docs := make([]any, 0, 500)
		for i := begin; i < min(begin+500, events); i++ {
			id := fmt.Sprintf("evt_%d", i)
			docs = append(docs, bson.M{
				"_id": id, "type": "invoice.sent", "created": noon, "received": noon, moment: noon,
				"state": state, "attempts": int64(0), "done": []string{}, "faults": []string{}, "payload": invoiceEvent(id),
			})
		}
		if _, err := db.Collection(payment.EventsCollection).InsertMany(tb.Context(), docs); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkVerify checks a signature, and so does the SDK.
func BenchmarkVerify(b *testing.B) {
	in := newInbox(b, dbtest.Database(b), newClock(), nil)
	body := []byte(invoiceEvent("evt_1"))
	now := time.Now()
	h := http.Header{"Stripe-Signature": {sign(string(body), now, secret)}}
	in.clock.now = now
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := in.pay.Verify(h, body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("the SDK's", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := webhook.ValidatePayload(body, h.Get("Stripe-Signature"), secret); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("and reading the event", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := payment.ParseEnvelope(body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
