package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/imadelakhaldev/coglex/generation/generationtest"
	"github.com/imadelakhaldev/coglex/payment/paymenttest"
)

// standIns take the place of the vendors for which no key is set, so that
// everything can be tried. They live in this process and forget all when it ends.
type standIns struct {
	stripe *paymenttest.Server
	gemini *generationtest.Server
}

// openStandIns starts what is needed and returns the configuration with it. The
// gateway is reached at url.
func openStandIns(ctx context.Context, c config, url string) (*standIns, config, error) {
	var err error
	s := new(standIns)
	if c.StripeKey == "" && c.StripeWebhookSecret == "" && c.StripeBase == "" {
		// What the database remembers of an earlier one must not be taken for this one's.
		s.stripe, err = paymenttest.Start(&paymenttest.Options{Seed: strings.ToLower(rand.Text()[:8])})
		if err != nil {
			return nil, c, fmt.Errorf("starting the stand-in for Stripe: %w", err)
		}
		s.stripe.AddPrice(paymenttest.Price{ID: "price_book", Product: "A book", Amount: 1200, Currency: "eur"})
		s.stripe.AddPrice(paymenttest.Price{ID: "price_basic", Product: "Membership", Amount: 900, Currency: "eur", Interval: "month"})
		s.stripe.SendTo(url + "/service/payment/v1/webhook")
		c.StripeKey, c.StripeWebhookSecret, c.StripeBase = s.stripe.Key(), s.stripe.WebhookSecret(), s.stripe.URL()
	}
	if c.GenerationKey == "" && c.GenerationBase == "" {
		s.gemini, err = generationtest.Start(context.WithoutCancel(ctx), nil)
		if err != nil {
			return nil, c, errors.Join(fmt.Errorf("starting the stand-in for Gemini: %w", err), s.close())
		}
		c.GenerationKey, c.GenerationBase = s.gemini.Key(), s.gemini.URL()
	}
	return s, c, nil
}

// close ends them.
func (s *standIns) close() error {
	var errs []error
	if s.stripe != nil {
		errs = append(errs, s.stripe.Close())
	}
	if s.gemini != nil {
		errs = append(errs, s.gemini.Close())
	}
	return errors.Join(errs...)
}
