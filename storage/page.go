package storage

import (
	"math"
	"net/url"
	"strconv"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/imadelakhaldev/coglex/internal/strict"
)

// maxSkip is how many documents a list may leave out.
const maxSkip = math.MaxInt32

// page is the query of a list.
type page struct {
	selection

	counted bool // count=true
	limited bool // a limit was given
}

// parsePage parses and checks the query of a list.
func (s *Service) parsePage(u *url.URL) (p page, err error) {
	q, err := strict.ParseQuery(u, "query", "keys", "sort", "limit", "skip", "count")
	if err != nil {
		return p, err
	}
	if p.filter, err = s.parseFilter(q); err != nil {
		return p, err
	}
	if p.keys, err = s.parseKeys(q); err != nil {
		return p, err
	}
	if p.sort, err = q.Document("sort"); err != nil {
		return p, err
	}
	if p.sort != nil {
		if err := s.rules.Sort(p.sort); err != nil {
			return p, err
		}
		p.sort = tieBreak(p.sort)
	}
	if p.limit, err = q.Int("limit", DefaultLimit, 1, MaxLimit); err != nil {
		return p, err
	}
	if p.skip, err = q.Int("skip", 0, 0, maxSkip); err != nil {
		return p, err
	}
	p.limited = q.Has("limit")
	p.counted, err = q.Bool("count")
	return p, err
}

// parseFilter parses and checks the query parameter; nil where there is none.
func (s *Service) parseFilter(q strict.Query) (bson.Raw, error) {
	filter, err := q.Document("query")
	if err != nil || filter == nil {
		return nil, err
	}
	return filter, s.rules.Filter(filter)
}

// tieBreak returns an order with the id at its end, so that documents that are
// equal in it come in the same order each time: nothing is skipped or seen twice.
func tieBreak(sort bson.Raw) bson.Raw {
	if _, err := sort.LookupErr(fieldID); err == nil {
		return sort
	}
	elements := append(make([]byte, 0, len(sort)+16), sort[4:len(sort)-1]...)
	return bsoncore.BuildDocument(nil, bsoncore.AppendInt32Element(elements, fieldID, 1))
}

// byID returns the order by id alone.
func byID() bson.Raw {
	return bsoncore.BuildDocument(nil, bsoncore.AppendInt32Element(nil, fieldID, 1))
}

// nextLink returns the Link header that leads to the next page (RFC 8288): the
// same query, further on. It is relative, so that it holds behind any proxy.
func nextLink(u *url.URL, p page) string {
	query := u.Query()
	query.Set("skip", strconv.FormatInt(p.skip+p.limit, 10))
	return "<?" + query.Encode() + `>; rel="next"`
}
