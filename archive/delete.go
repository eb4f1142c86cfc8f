package archive

import (
	"context"

	"github.com/imadelakhaldev/coglex/signals"
)

// Delete removes a file, of whatever name space, or returns ErrNotFound.
// Interceptors of [Deleting] are asked and may refuse. The record goes first, and
// with it the file; its bytes follow, at the latest with the next sweep.
func (s *Service) Delete(ctx context.Context, id string) error {
	if !isID(id) {
		return ErrNotFound
	}
	rec, err := s.find(ctx, byID(id))
	if err != nil {
		return err
	}
	return s.delete(ctx, rec)
}

func (s *Service) delete(ctx context.Context, rec record) error {
	if err := signals.Ask(ctx, s.bus(), &Deleting{File: rec.file()}); err != nil {
		return err
	}
	there, err := s.remove(ctx, rec)
	if err != nil {
		return err
	}
	if !there {
		return ErrNotFound // another was faster
	}
	s.drop(ctx, rec.Key)
	signals.Announce(ctx, s.bus(), Deleted{File: rec.file()})
	return nil
}
