package signals

import (
	"log/slog"
	"reflect"
	"testing"
	"time"
)

func TestZeroOptionsAreTheDocumentedDefaults(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*Options{"nil": nil, "zero": {}} {
		b := NewBus(opts)
		if b.log != slog.Default() {
			t.Errorf("%s: Logger is not slog.Default()", name)
		}
		if b.slow != 0 {
			t.Errorf("%s: Slow is %v, want 0", name, b.slow)
		}
		if reflect.ValueOf(b.now).Pointer() != reflect.ValueOf(time.Now).Pointer() {
			t.Errorf("%s: Now is not time.Now", name)
		}
	}
}
