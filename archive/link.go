package archive

import (
	"context"
	"net/url"
	"time"
)

// LinkOptions are the optional settings of [Service.Link].
type LinkOptions struct {
	// Expires is how long the link holds, at most MaxExpires. Defaults to DefaultExpires.
	Expires time.Duration
	// Inline lets a browser show the file, where it is of a type that is safe to
	// show. Defaults to false: it is saved.
	Inline bool
}

// Link is an address that opens one file, without the API key, until it expires.
// Whoever has it can use it: it belongs into the hands of one person, and not into a
// log. It cannot be taken back but by deleting the file or retiring the secret.
type Link struct {
	// URL is the address: relative to the host where the App has no BaseURL. It is
	// below the prefix that the service was mounted at first, so its routes have to
	// be mounted, or those of links and tickets at least.
	URL string `json:"url"`
	// Expires is when it ends, in UTC and whole seconds.
	Expires time.Time `json:"expires"`
}

// linkClaims is what a link says.
type linkClaims struct {
	// Method is the class of methods: "read" is GET and HEAD.
	Method  string `json:"m"`
	ID      string `json:"i"`
	Expires int64  `json:"e"`
	Inline  bool   `json:"d,omitempty"`
}

// methodRead is the class of GET and HEAD.
const methodRead = "read"

// Link returns a link to a file, of whatever name space. It returns ErrNotFound
// where there is none, ErrLinksOff without Options.Secret, and an *OptionError.
func (s *Service) Link(ctx context.Context, id string, opts *LinkOptions) (Link, error) {
	if opts == nil {
		opts = &LinkOptions{}
	}
	if s.links == nil {
		return Link{}, ErrLinksOff
	}
	expires, err := s.expiry(opts.Expires)
	if err != nil {
		return Link{}, err
	}
	file, err := s.Stat(ctx, id)
	if err != nil {
		return Link{}, err
	}
	return s.link(file, expires, opts.Inline)
}

func (s *Service) link(file File, expires time.Time, inline bool) (Link, error) {
	signed, err := s.links.sign(linkClaims{Method: methodRead, ID: file.ID, Expires: expires.Unix(), Inline: inline})
	if err != nil {
		return Link{}, err
	}
	return Link{URL: s.address("links", file.ID, signed), Expires: expires}, nil
}

// expiry returns when something ends that holds for so long.
func (s *Service) expiry(d time.Duration) (time.Time, error) {
	switch {
	case d < 0, d > MaxExpires, d > 0 && d < time.Second:
		return time.Time{}, &OptionError{Field: "Expires", Reason: "must be from a second to seven days"}
	case d == 0:
		d = DefaultExpires
	}
	return s.opts.Now().UTC().Add(d).Truncate(time.Second), nil
}

// address returns where something signed is used. The signature is in the query,
// which the access log leaves out.
func (s *Service) address(kind, id, signed string) string {
	host := s.host.Load()
	return host.BaseURL + host.Prefix + "/" + kind + "/" + id + "?token=" + url.QueryEscape(signed)
}

// expired reports whether a time of a claim has come.
func (s *Service) expired(unix int64) bool { return s.opts.Now().Unix() >= unix }

// openLink returns what a presented link says, or errLinkInvalid or errLinkExpired.
func (s *Service) openLink(id, signed string) (linkClaims, error) {
	var claims linkClaims
	if err := s.links.verify(signed, &claims); err != nil {
		return claims, err
	}
	if claims.ID != id || claims.Method != methodRead {
		return claims, errLinkInvalid
	}
	if s.expired(claims.Expires) {
		return claims, errLinkExpired
	}
	return claims, nil
}
