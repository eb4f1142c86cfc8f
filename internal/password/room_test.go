package password_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/imadelakhaldev/coglex/internal/password"
)

func TestRoomIsBounded(t *testing.T) {
	t.Parallel()
	h := gated(t, 2, time.Second)
	var leave []func()
	for i := range 2 * password.RoomPerPlace {
		out, err := h.Enter(fmt.Sprint(i), 4)
		if err != nil {
			t.Fatalf("the one with number %d: %v", i, err)
		}
		leave = append(leave, out)
	}
	if _, err := h.Enter("late", 4); !errors.Is(err, password.ErrBusy) {
		t.Errorf("of a full room: %v", err)
	}
	leave[7]()
	if _, err := h.Enter("late", 4); err != nil {
		t.Errorf("once one has left: %v", err)
	}
}

// A client with many attempts leaves room for others, and gets its own back.
func TestRoomIsShared(t *testing.T) {
	t.Parallel()
	h := gated(t, 1, time.Second)
	for range 3 {
		var leave []func()
		for range 4 {
			out, err := h.Enter("greedy", 4)
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, out)
		}
		for range 100 {
			if _, err := h.Enter("greedy", 4); !errors.Is(err, password.ErrCrowded) {
				t.Fatalf("the fifth: %v", err)
			}
		}
		honest, err := h.Enter("honest", 4)
		if err != nil {
			t.Fatalf("beside a greedy one: %v", err)
		}
		for _, out := range append(leave, honest) {
			out()
		}
	}
	for range password.RoomPerPlace {
		if _, err := h.Enter("", 4); err != nil {
			t.Fatalf("without a client there is no share: %v", err)
		}
	}
}
