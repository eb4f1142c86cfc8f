package generation

import (
	"context"
	"iter"
)

// converse asks Gemini, and calls the functions that it asks for.
func (s *Service) converse(ctx context.Context, c *call) (*Reply, error) {
	a, err := s.generate(ctx, c)
	if err != nil {
		return nil, err
	}
	turn := Content{Role: RoleModel, Parts: a.parts}
	return &Reply{Parts: a.parts, FinishReason: a.finish, Model: a.model, Usage: a.usage, History: []Content{turn}}, nil
}

// converseStream is converse with the answers as they come.
func (s *Service) converseStream(ctx context.Context, c *call) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		var usage Usage
		for a, err := range s.stream(ctx, c) {
			if err != nil {
				yield(Chunk{}, err)
				return
			}
			usage = a.usage
			if !yield(Chunk{Role: RoleModel, Parts: a.parts, FinishReason: a.finish, Model: a.model}, nil) {
				return
			}
		}
		yield(Chunk{Usage: &usage}, nil)
	}
}
