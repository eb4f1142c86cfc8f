package paymenttest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// Sign returns the Stripe-Signature header of a webhook's body that was sent at a
// time, signed with a secret: "t=1700000000,v1=<hex>".
func Sign(body []byte, at time.Time, secret string) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(mac, "%s.%s", t, body) // a hash does not fail
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
