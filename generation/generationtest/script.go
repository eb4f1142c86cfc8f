package generationtest

import "sync"

// script says what is answered.
type script struct {
	mu     sync.Mutex
	queues map[Operation][]Reply
	answer func(Request) (Reply, bool)
	// signatures are those that scripted parts came with.
	signatures map[string]bool
}

// generating is the queue that both forms of generateContent share.
const generating Operation = "generate"

// queue returns which queue answers an operation.
func queue(op Operation) Operation {
	if op == OpGenerate || op == OpStream {
		return generating
	}
	return op
}

// Enqueue adds answers to the next requests for content, streamed or not: one
// reply for each. Without any left, what [Gemini.Answer] was given decides, and
// without that the stand-in that the package describes.
func (g *Gemini) Enqueue(replies ...Reply) { g.EnqueueFor(generating, replies...) }

// EnqueueFor adds answers to the next requests for an operation. Those for OpGenerate
// and OpStream are in one queue. Of any other operation a reply is what comes before
// its own answer, or in place of it: what fails or is raw ends it, what waits delays
// it, and what is said means nothing.
func (g *Gemini) EnqueueFor(op Operation, replies ...Reply) {
	g.script.mu.Lock()
	defer g.script.mu.Unlock()
	op = queue(op)
	g.script.queues[op] = append(g.script.queues[op], replies...)
}

// Answer sets a function that answers requests for content for which nothing is
// queued; where it returns false the stand-in answers. It must be safe for
// concurrent use. Nil takes it away.
func (g *Gemini) Answer(fn func(Request) (Reply, bool)) {
	g.script.mu.Lock()
	defer g.script.mu.Unlock()
	g.script.answer = fn
}

// Pending returns how many queued answers nobody has asked for.
func (g *Gemini) Pending() int {
	g.script.mu.Lock()
	defer g.script.mu.Unlock()
	n := 0
	for _, q := range g.script.queues {
		n += len(q)
	}
	return n
}

// take returns the next queued answer of an operation, and what answers else.
func (s *script) take(op Operation) (r Reply, ok bool, answer func(Request) (Reply, bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op = queue(op)
	if q := s.queues[op]; len(q) > 0 {
		s.queues[op] = q[1:]
		return q[0], true, nil
	}
	return Reply{}, false, s.answer
}

// given reports whether a thought signature was scripted.
func (s *script) given(signature string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signatures[signature]
}

// remember remembers the thought signatures that are scripted.
func (s *script) remember(signature string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signatures[signature] = true
}
