package generation

import (
	"context"
	"encoding/json"
	"iter"
	"strings"
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
		l.note(a)
		if l.c.toolset != nil { // else nobody looks at it again
			l.turn = append(l.turn, a.parts...)
		}
		if !yield(Chunk{Role: RoleModel, Parts: a.parts, FinishReason: a.finish, Model: a.model}, nil) {
			return false
		}
	}
	l.turn = joined(l.turn)
	l.endTurn()
	return true
}

// joined returns the parts of an answer that came in pieces. Texts that follow one
// another become one, as far as they are nothing else: a thought signature stays at
// its part.
func joined(pieces []Part) []Part {
	var parts []Part
	var texts strings.Builder
	flush := func() {
		if texts.Len() > 0 {
			parts = append(parts, Text(texts.String()))
			texts.Reset()
		}
	}
	for _, p := range pieces {
		if text, ok := plainText(p); ok {
			texts.WriteString(text)
			continue
		}
		flush()
		parts = append(parts, p)
	}
	flush()
	return parts
}

// plainText returns the text of a part that is nothing else.
func plainText(p Part) (string, bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(p, &fields) != nil || len(fields) != 1 {
		return "", false
	}
	var text *string
	if json.Unmarshal(fields["text"], &text) != nil || text == nil {
		return "", false
	}
	return *text, true
}
