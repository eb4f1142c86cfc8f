package password

import (
	"errors"
	"sync"
)

// RoomPerPlace is how many may be on their way to each place of the gate, or in
// it. At the default cost the last of them waits for about four seconds.
const RoomPerPlace = 16

// ErrCrowded says that a client has as many on their way as it may have.
var ErrCrowded = errors.New("password: too many at once from one client")

// room bounds how many are on their way to the gate. Those for whom there is no
// room are told at once, and cost nothing.
type room struct {
	most int

	mu     sync.Mutex
	inside int
	of     map[string]int // by client; of those that are inside
}

func newRoom(most int) *room { return &room{most: most, of: map[string]int{}} }

// Enter takes a place in the waiting room, until leave is called, once. It is for
// what comes before Verify or Hash and is not free, such as a look into a
// database. It returns ErrBusy when the room is full, and ErrCrowded when as many
// as share of one client are inside; the client "" has no share, and a share of 0
// is without bound. It never waits.
func (h *Hasher) Enter(client string, share int) (leave func(), err error) {
	return h.room.enter(client, share)
}

func (r *room) enter(client string, share int) (leave func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if client != "" && share > 0 && r.of[client] >= share {
		return nil, ErrCrowded
	}
	if r.inside >= r.most {
		return nil, ErrBusy
	}
	r.inside++
	r.of[client]++
	return func() { r.leave(client) }, nil
}

func (r *room) leave(client string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inside--
	if r.of[client]--; r.of[client] == 0 {
		delete(r.of, client)
	}
}
