package payment

import (
	"sync"
	"time"
)

// maxLater is how many events are remembered to be tried again. The others are found
// by looking.
const maxLater = 10_000

// later remembers which events this instance is to try again, or at all, so that it
// need not look for them, which takes long on some databases. It is a hint like all
// that a worker has in memory.
type later struct {
	mu  sync.Mutex
	due map[string]time.Time
}

// add remembers an event, and reports whether there was room.
func (l *later) add(id string, due time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.due == nil {
		l.due = map[string]time.Time{}
	}
	if len(l.due) >= maxLater {
		return false
	}
	l.due[id] = due
	return true
}

// take returns the events that are due, and forgets them.
func (l *later) take(now time.Time) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []string
	for id, due := range l.due {
		if !due.After(now) {
			ids = append(ids, id)
			delete(l.due, id)
		}
	}
	return ids
}
