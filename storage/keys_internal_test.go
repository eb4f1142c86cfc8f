package storage

import "testing"

func TestWithVersion(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		keys, want string
		drop       bool
	}{
		{`{"a": true}`, `{"a": true,"_version": {"$numberInt":"1"}}`, true},
		{`{"a": 1.0}`, `{"a": {"$numberDouble":"1.0"},"_version": {"$numberInt":"1"}}`, true},
		{`{"a": {"$elemMatch": {"b": "c"}}}`, `{"a": {"$elemMatch": {"b": "c"}},"_version": {"$numberInt":"1"}}`, true},
		{`{"_id": true}`, `{"_id": true,"_version": {"$numberInt":"1"}}`, true},
		{`{"a": true, "_version": true}`, `{"a": true,"_version": true}`, false},
		{`{"_version": true}`, `{"_version": true}`, false},
		{`{"a": false}`, `{"a": false}`, false},
		{`{"a": {"$slice": 1}}`, `{"a": {"$slice": {"$numberInt":"1"}}}`, false},
		{`{"a": {"$meta": "textScore"}}`, `{"a": {"$meta": "textScore"}}`, false},
		{`{"a": false, "_version": false}`, `{"a": false}`, true},
		{`{"_id": false, "_version": false}`, `{"_id": false}`, true},
		{`{"_version": false}`, ``, true},
		{`{}`, ``, false},
	} {
		got, drop, err := withVersion(parsed(t, row.keys))
		if err != nil || got.String() != row.want || drop != row.drop {
			t.Errorf("%s: %s, %t, %v; want %s, %t", row.keys, got, drop, err, row.want, row.drop)
		}
	}
}
