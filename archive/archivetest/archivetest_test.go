package archivetest_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/imadelakhaldev/coglex/archive"
	"github.com/imadelakhaldev/coglex/archive/archivetest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	archivetest.TestStore(t, func(*testing.T) archive.Store { return archivetest.Memory() })
}

func TestAFaultyStoreWithoutFaults(t *testing.T) {
	t.Parallel()
	archivetest.TestStore(t, func(*testing.T) archive.Store {
		return archivetest.Faulty(archivetest.Memory(), archivetest.Faults{})
	})
}

func TestFaulty(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	fails := func(context.Context, string) error { return broken }
	key := archivetest.Key()
	ctx := t.Context()
	memory := archivetest.Memory()

	full := archivetest.Faulty(memory, archivetest.Faults{Space: 5})
	if err := full.Create(ctx, key, bytes.NewReader(make([]byte, 6))); !errors.Is(err, archive.ErrNoSpace) {
		t.Errorf("6 bytes where 5 fit: %v", err)
	}
	if err := full.Create(ctx, key, bytes.NewReader(make([]byte, 5))); err != nil {
		t.Errorf("5 bytes where 5 fit: %v", err)
	}
	faulty := archivetest.Faulty(memory, archivetest.Faults{Created: fails, Opening: fails, Deleting: fails})
	if err := faulty.Create(ctx, archivetest.Key(), bytes.NewReader(nil)); !errors.Is(err, broken) {
		t.Errorf("Create: %v", err)
	}
	if _, err := faulty.Open(ctx, key); !errors.Is(err, broken) {
		t.Errorf("Open: %v", err)
	}
	if err := faulty.Delete(ctx, key); !errors.Is(err, broken) {
		t.Errorf("Delete: %v", err)
	}
	n := 0
	for range memory.List(ctx) {
		n++
	}
	if n != 2 {
		t.Errorf("%d entries, want the one of each Create that kept its bytes", n)
	}
}
