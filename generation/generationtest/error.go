package generationtest

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// apiError is an error of Google's, as it is on the wire (google.rpc.Status).
type apiError struct {
	// Code is the HTTP status.
	Code int `json:"code"`
	// Message is for people.
	Message string `json:"message"`
	// Status is the name of the canonical code, such as RESOURCE_EXHAUSTED. Where it
	// is empty it follows from Code.
	Status string `json:"status"`
	// Details are typed by their "@type".
	Details []map[string]any `json:"details,omitempty"`
}

// Error returns the status and the message.
func (e *apiError) Error() string {
	return fmt.Sprintf("generationtest: %s: %s", e.status(), e.Message)
}

// status returns Status, or what Code stands for (google.rpc.Code).
func (e *apiError) status() string {
	if e.Status != "" {
		return e.Status
	}
	names := map[int]string{
		http.StatusBadRequest: "INVALID_ARGUMENT", http.StatusUnauthorized: "UNAUTHENTICATED", http.StatusForbidden: "PERMISSION_DENIED",
		http.StatusNotFound: "NOT_FOUND", http.StatusConflict: "ABORTED", http.StatusRequestedRangeNotSatisfiable: "OUT_OF_RANGE",
		http.StatusTooManyRequests: "RESOURCE_EXHAUSTED", 499: "CANCELLED", http.StatusInternalServerError: "INTERNAL",
		http.StatusNotImplemented: "UNIMPLEMENTED", http.StatusServiceUnavailable: "UNAVAILABLE", http.StatusGatewayTimeout: "DEADLINE_EXCEEDED",
	}
	if name, ok := names[e.Code]; ok {
		return name
	}
	return "UNKNOWN"
}

// RetryInfo is the detail of an error that says when to try again.
func RetryInfo(after time.Duration) map[string]any {
	return map[string]any{
		"@type":      "type.googleapis.com/google.rpc.RetryInfo",
		"retryDelay": strconv.FormatFloat(after.Seconds(), 'f', -1, 64) + "s",
	}
}

// ErrorInfo is the detail of an error that says why, such as API_KEY_INVALID.
func ErrorInfo(reason string) map[string]any {
	return map[string]any{
		"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com",
		"metadata": map[string]any{"service": "generativelanguage.googleapis.com"},
	}
}

var (
	// errGone says that the client left.
	errGone = errors.New("generationtest: the client left")
	// errCut says that the connection is to be broken.
	errCut = errors.New("generationtest: the connection is to be broken")
)

// invalid is the error of a request that is not as it should be.
func invalid(format string, args ...any) *apiError {
	return &apiError{Code: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

// keyMissing and keyInvalid are what Google says to those without a good key.
func keyMissing() *apiError {
	return &apiError{Code: http.StatusForbidden, Message: "Method doesn't allow unregistered callers (callers without established identity). " +
		"Please use API Key or other form of API consumer identity to call this API."}
}

func keyInvalid() *apiError {
	const message = "API key not valid. Please pass a valid API key."
	return &apiError{Code: http.StatusBadRequest, Message: message, Details: []map[string]any{
		ErrorInfo("API_KEY_INVALID"),
		{"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": message},
	}}
}
