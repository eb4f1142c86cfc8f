package generation

import (
	"context"
	"iter"
)

// converseStream is converse with the answers as they come. The results of functions
// are a chunk of their own, of RoleUser, between what Gemini says.
func (s *Service) converseStream(ctx context.Context, c *call) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		l, err := s.newLoop(c)
		if err != nil {
			yield(Chunk{}, err)
			return
		}
		for more := true; more; {
			if !l.hearStream(ctx, yield) {
				return
			}
			var results []Part
			results, more, err = l.step(ctx)
			if len(results) > 0 && !yield(Chunk{Role: RoleUser, Parts: results}, nil) {
				return
			}
			if err != nil {
				yield(Chunk{Usage: &l.reply.Usage}, err)
				return
			}
		}
		yield(Chunk{Usage: &l.reply.Usage}, nil)
	}
}

// hearStream yields what Gemini says in one call, and reports whether to go on.
func (l *loop) hearStream(ctx context.Context, yield func(Chunk, error) bool) bool {
	for a, err := range l.s.stream(ctx, l.c) {
		if err != nil {
			yield(Chunk{Usage: &l.reply.Usage}, err)
			return false
		}
		l.hear(a)
		if !yield(Chunk{Role: RoleModel, Parts: a.parts, FinishReason: a.finish, Model: a.model}, nil) {
			return false
		}
	}
	l.endTurn()
	return true
}
