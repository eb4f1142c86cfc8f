package middleware_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/middleware"
)

func TestLimitErrorSaysHowLong(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("signing in: %w", &middleware.LimitError{RetryAfter: 4 * time.Second})
	limit, ok := errors.AsType[*middleware.LimitError](err)
	if !ok || limit.RetryAfter != 4*time.Second || limit.Error() != "middleware: too many attempts, wait 4s" {
		t.Errorf("error = %v, want the wait within reach", err)
	}
}
