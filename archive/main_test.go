package archive_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(envURI) != "" { // of the crash test
		fmt.Println("failed:", beChild(context.Background()))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}
