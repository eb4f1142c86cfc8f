package paymenttest

import (
	"net/http"
	"strings"
)

// Failure is an error as Stripe answers it.
type Failure struct {
	// Status is the HTTP status. Zero is 500.
	Status int
	// Type is "invalid_request_error", "card_error", "idempotency_error" or
	// "api_error". Empty is what fits Status.
	Type string
	// Code is Stripe's word for what is wrong, as "resource_missing".
	Code string
	// DeclineCode is the bank's word, for card errors.
	DeclineCode string
	// Param names the parameter at fault, as "line_items[0][price]".
	Param string
	// Message is for people.
	Message string

	// Path limits a failure of [Stripe.FailNext] to requests whose path begins with
	// it, as "/v1/subscriptions". Empty is every request.
	Path string
	// Lost makes the request take effect, and then breaks the connection instead of
	// answering: the caller can not know. Everything but Path is ignored.
	Lost bool
}

// Error returns the message.
func (f *Failure) Error() string { return "stripe: " + f.Message }

// Unavailable is the failure of a Stripe that is down: 503.
func Unavailable() Failure {
	return Failure{Status: http.StatusServiceUnavailable, Message: "Stripe is temporarily unavailable."}
}

// RateLimited is the failure of too many requests: 429.
func RateLimited() Failure {
	return Failure{
		Status: http.StatusTooManyRequests, Code: "rate_limit",
		Message: "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
	}
}

// Declined is the failure of a card that its bank refuses: 402. An empty code is
// "generic_decline".
func Declined(code string) Failure {
	if code == "" {
		code = "generic_decline"
	}
	return Failure{
		Status: http.StatusPaymentRequired, Type: "card_error", Code: "card_declined", DeclineCode: code,
		Message: "Your card was declined.",
	}
}

// KeyRefused is the failure of a key that was revoked: 401.
func KeyRefused() Failure {
	return Failure{Status: http.StatusUnauthorized, Code: "api_key_expired", Message: "Expired API Key provided: sk_test_****"}
}

// invalid is a request with something wrong in it: 400.
func invalid(code, param, message string) *Failure {
	return &Failure{Status: http.StatusBadRequest, Code: code, Param: param, Message: message}
}

// required is a request that lacks a parameter: 400.
func required(param string) *Failure {
	return invalid("parameter_missing", param, "Missing required param: "+param+".")
}

// unknown is a parameter that names what is not there: 400.
func unknown(k kind, id, param string) *Failure {
	return invalid("resource_missing", param, "No such "+k.noun()+": '"+id+"'")
}

// missing is a path that names what is not there: 404.
func missing(k kind, id, param string) *Failure {
	f := unknown(k, id, param)
	f.Status = http.StatusNotFound
	return f
}

// body is the failure as JSON.
func (f *Failure) body(request string) object {
	e := object{"type": f.kind(), "message": f.Message, "request_log_url": "https://dashboard.stripe.com/test/logs/" + request}
	for name, value := range map[string]string{"code": f.Code, "decline_code": f.DeclineCode, "param": f.Param} {
		if value != "" {
			e[name] = value
		}
	}
	if f.Code != "" {
		e["doc_url"] = "https://stripe.com/docs/error-codes/" + strings.ReplaceAll(f.Code, "_", "-")
	}
	return object{"error": e}
}

func (f *Failure) kind() string {
	switch {
	case f.Type != "":
		return f.Type
	case f.status() == http.StatusPaymentRequired:
		return "card_error"
	case f.status() >= http.StatusInternalServerError:
		return "api_error"
	default:
		return "invalid_request_error"
	}
}

func (f *Failure) status() int {
	if f.Status == 0 {
		return http.StatusInternalServerError
	}
	return f.Status
}
