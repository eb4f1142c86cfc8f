package password

import "context"

// Occupy takes a place in the hasher's gate while work runs.
func (h *Hasher) Occupy(ctx context.Context, work func()) error { return h.gate.do(ctx, work) }
