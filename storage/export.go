package storage

import "time"

// exportRetryAfter is when a client should come back for an export.
const exportRetryAfter = 5 * time.Second
