package generationtest

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Defaults of [Options].
const (
	// DefaultKey is the key that is accepted where Options.Keys names none. It opens
	// nothing but a stand-in.
	DefaultKey = "stand-in-key-that-opens-nothing"
	// DefaultKeep is how many requests [Gemini.Requests] remembers.
	DefaultKeep = 1000
)

// Options configures a [Gemini]. The zero value is ready to use.
type Options struct {
	// Keys are the API keys that are accepted; every other one is refused as Google
	// refuses it.
	//
	// Defaults to DefaultKey alone.
	Keys []string

	// Models are the names of the models there are, without "models/". Another one
	// is 404. One whose name holds "embedding" makes embeddings, the others
	// generate content.
	//
	// Defaults to gemini-2.5-flash, gemini-2.5-pro, gemini-3-pro-preview and
	// gemini-embedding-001.
	Models []string

	// Unsigned lets function calls come back without their thought signature, as
	// models before Gemini 3 do. A signature that is there must still be right.
	//
	// Defaults to false: such a request is 400.
	Unsigned bool

	// Processing is how often an uploaded file is PROCESSING when it is asked for,
	// before it is ACTIVE, as a video is. See also [Gemini.Process].
	//
	// Defaults to 0: a file is ACTIVE at once.
	Processing int

	// Keep is how many requests [Gemini.Requests] remembers, the oldest giving way;
	// a negative number remembers none.
	//
	// Defaults to DefaultKeep.
	Keep int

	// Now tells the times of files.
	//
	// Defaults to time.Now.
	Now func() time.Time
}

// withDefaults returns a copy in which every field has its value, or all that is
// wrong with it.
func (o Options) withDefaults() (Options, error) {
	var errs []error
	for i, key := range o.Keys {
		if key == "" {
			errs = append(errs, fmt.Errorf("generationtest: Options.Keys[%d] is empty", i))
		}
	}
	for i, model := range o.Models {
		if !validName(model) {
			errs = append(errs, fmt.Errorf("generationtest: Options.Models[%d] is %q, and no name of a model", i, model))
		}
	}
	if o.Processing < 0 {
		errs = append(errs, fmt.Errorf("generationtest: Options.Processing is %d, and cannot be negative", o.Processing))
	}
	o.Keys, o.Models = slices.Clone(o.Keys), slices.Clone(o.Models)
	if len(o.Keys) == 0 {
		o.Keys = []string{DefaultKey}
	}
	if len(o.Models) == 0 {
		o.Models = []string{"gemini-2.5-flash", "gemini-2.5-pro", "gemini-3-pro-preview", "gemini-embedding-001"}
	}
	if o.Keep == 0 {
		o.Keep = DefaultKeep
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of the option
	}
	return o, errors.Join(errs...)
}
