package payment

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/imadelakhaldev/coglex/service"
)

// StripeError is a call of Stripe that failed. Its text is safe for a log: neither
// that nor any answer over HTTP has Stripe's own message, which may hold addresses
// of customers and parts of keys; whoever needs it finds it in Stripe's dashboard
// under the RequestID, or by errors.As of a *stripe.Error.
type StripeError struct {
	// Op is what was asked of Stripe, such as "create a checkout session".
	Op string
	// Status is the HTTP status of Stripe's answer, zero where there is none.
	Status int
	// Type, Code and DeclineCode are Stripe's words for what is wrong, such as
	// "invalid_request_error" and "resource_missing"; Param is the parameter that is
	// meant, such as "line_items[0][price]". Each is empty where Stripe did not say.
	Type, Code, DeclineCode, Param string
	// RequestID names the call in Stripe's own log.
	RequestID string
	// Err is the cause.
	Err error

	retryAfter time.Duration
	replayed   bool // Stripe repeats what it answered under the idempotency key before
}

// Error says what Stripe answered, in words that hold nothing secret.
func (e *StripeError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("payment: asking Stripe to %s: %s", e.Op, networkFault(e.Err))
	}
	text := fmt.Sprintf("payment: asking Stripe to %s: status %d", e.Op, e.Status)
	for _, part := range []struct{ name, value string }{
		{"type", e.Type}, {"code", e.Code}, {"decline code", e.DeclineCode}, {"param", e.Param}, {"request", e.RequestID},
	} {
		if part.value != "" {
			text += ", " + part.name + " " + part.value
		}
	}
	return text
}

// Unwrap returns the cause: a *stripe.Error where Stripe answered.
func (e *StripeError) Unwrap() error { return e.Err }

// networkFault says why there is no answer. Other errors than these may hold the
// request, or half an answer, and are named by their type only.
func networkFault(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "given up"
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.Error()
	}
	return fmt.Sprintf("no answer that can be read (%T)", err)
}

// What the words of Stripe look like. Others are not repeated.
var (
	wordPattern  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,99}$`)
	paramPattern = regexp.MustCompile(`^[A-Za-z0-9_\[\]]{1,200}$`)
	typePattern  = regexp.MustCompile(`^[a-z][a-z0-9_.]{0,199}$`)
	idPattern    = regexp.MustCompile(`^[A-Za-z0-9_]{1,255}$`)
)

// stripeError returns the error of a call.
func stripeError(op string, err error) error {
	out := &StripeError{Op: op, Err: err}
	e, ok := errors.AsType[*stripe.Error](err)
	if !ok {
		return out
	}
	out.Status = e.HTTPStatusCode
	out.Type, out.Code = matching(wordPattern, string(e.Type)), matching(wordPattern, string(e.Code))
	out.DeclineCode, out.Param = matching(wordPattern, string(e.DeclineCode)), matching(paramPattern, e.Param)
	out.RequestID = matching(idPattern, e.RequestID)
	if e.LastResponse != nil {
		out.retryAfter = retryAfter(e.LastResponse.Header.Get("Retry-After"))
		out.replayed = replayed(e.LastResponse)
	}
	return out
}

// matching returns the text where it looks as it should.
func matching(pattern *regexp.Regexp, text string) string {
	if !pattern.MatchString(text) {
		return ""
	}
	return text
}

// retryAfter reads a header in seconds: a second where there is none, an hour at
// most.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(header)
	if err != nil || seconds < 1 {
		return time.Second
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}

// replayed reports whether an answer is an earlier one of the same idempotency key.
func replayed(answer *stripe.APIResponse) bool {
	return answer.Header.Get("Idempotent-Replayed") == "true"
}

// stuck reports whether a call failed in the same words as before, and will for as long
// as Stripe remembers its idempotency key, a day: so it does with crashes of its own.
func stuck(err error) bool {
	e, ok := errors.AsType[*StripeError](err)
	return ok && e.replayed
}

// missing reports whether Stripe says that an object does not exist; param names
// the parameter that meant it, and is empty for the object of the call itself.
func missing(err error, param string) bool {
	e, ok := errors.AsType[*StripeError](err)
	return ok && e.Code == string(stripe.ErrorCodeResourceMissing) && (param == "" || e.Param == param)
}

// stripeProblems is where errors of Stripe become answers.
func stripeProblems() []service.Rule {
	return []service.Rule{
		service.Is(ErrNoCustomer, http.StatusNotFound, "customer_unknown", "This user is no customer yet."),
		service.Is(ErrForeignCustomer, http.StatusForbidden, "customer_forbidden", "This customer is someone else."),
		service.Is(ErrNoSubscription, http.StatusNotFound, "subscription_unknown", "There is no such subscription, or it has ended."),
		service.As((*StripeError).problem),
	}
}

// problem is what a client is told. What is the client's fault has Stripe's own
// code and the name of the parameter; of all else it only learns that it failed.
func (e *StripeError) problem() *service.Problem {
	p := &service.Problem{Err: e}
	switch {
	case e.Status == http.StatusTooManyRequests:
		p.Status, p.Code, p.Detail = http.StatusTooManyRequests, "stripe_rate_limited", "Stripe asks for fewer requests."
		p.RetryAfter = e.retryAfter
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		p.Status, p.Code, p.Detail = http.StatusBadGateway, "stripe_key_refused", "Stripe refuses the key of this gateway."
	case e.Status == http.StatusConflict, e.Code == string(stripe.ErrorCodeIdempotencyKeyInUse):
		p.Status, p.Code, p.Detail = http.StatusConflict, "idempotency_key_in_use", "A request with this Idempotency-Key is still under way."
	case e.Type == string(stripe.ErrorTypeIdempotency):
		p.Status, p.Code, p.Detail = http.StatusConflict, "idempotency_key_reused", "This Idempotency-Key was used for another request."
	case e.Status >= 400 && e.Status < 500:
		e.refused(p)
	default:
		p.Status, p.Code, p.Detail = http.StatusBadGateway, "stripe_unavailable", "Stripe does not answer as it should."
	}
	return p
}

// refused fills in what Stripe finds fault with.
func (e *StripeError) refused(p *service.Problem) {
	p.Status, p.Code, p.Detail = http.StatusBadRequest, cmp.Or(e.Code, "stripe_refused"), "Stripe refuses this request."
	if e.Param != "" {
		p.Detail = "Stripe refuses the parameter " + e.Param + "."
	}
	p.Extensions = map[string]any{}
	for name, value := range map[string]string{"param": e.Param, "decline_code": e.DeclineCode} {
		if value != "" {
			p.Extensions[name] = value
		}
	}
}
