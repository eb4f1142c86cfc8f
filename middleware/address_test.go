package middleware_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/imadelakhaldev/coglex/middleware"
)

func TestClientAddressIsThePeerWithoutAnExtractor(t *testing.T) {
	t.Parallel()
	rows := map[string]struct{ remote, want string }{
		"an address of version 4": {"192.0.2.7:4711", "192.0.2.7"},
		"an address of version 6": {"[2001:db8::7]:4711", "2001:db8::7"},
		"no port":                 {"192.0.2.7", "192.0.2.7"},
		"a local socket":          {"@", "@"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request("GET", "X-Forwarded-For", "6.6.6.6", "X-Real-Ip", "6.6.6.6")
			r.RemoteAddr = row.remote
			c := echo.New().NewContext(r, httptest.NewRecorder())
			if got := middleware.ClientAddress(c); got != row.want {
				t.Errorf("ClientAddress = %q, want the peer %q whatever the headers say", got, row.want)
			}
		})
	}
}

func TestClientAddressIsWhatTheExtractorSays(t *testing.T) {
	t.Parallel()
	e := echo.New()
	e.IPExtractor = func(*http.Request) string { return "198.51.100.9" }
	if got := middleware.ClientAddress(e.NewContext(request("GET"), httptest.NewRecorder())); got != "198.51.100.9" {
		t.Errorf("ClientAddress = %q, want the extractor's", got)
	}
}

func TestTrustProxies(t *testing.T) {
	t.Parallel()
	lan := []string{"10.0.0.0/8", "2001:db8:1::1"}
	rows := map[string]struct {
		proxies   []string
		peer      string
		forwarded []string
		want      string
	}{
		"nobody is believed where none is listed":         {nil, "127.0.0.1:1", []string{"6.6.6.6"}, "127.0.0.1"},
		"a proxy is believed":                             {lan, "10.1.2.3:1", []string{"198.51.100.9"}, "198.51.100.9"},
		"a proxy of version 6":                            {lan, "[2001:db8:1::1]:1", []string{"198.51.100.9"}, "198.51.100.9"},
		"a proxy written as version 6 in version 4":       {lan, "[::ffff:10.1.2.3]:1", []string{"198.51.100.9"}, "198.51.100.9"},
		"a neighbour of that proxy is not":                {lan, "[2001:db8:1::2]:1", []string{"6.6.6.6"}, "2001:db8:1::2"},
		"another peer is not":                             {lan, "192.0.2.7:1", []string{"6.6.6.6"}, "192.0.2.7"},
		"a private peer that is not listed is not":        {lan, "192.168.0.7:1", []string{"6.6.6.6"}, "192.168.0.7"},
		"the loopback is not, unless listed":              {lan, "127.0.0.1:1", []string{"6.6.6.6"}, "127.0.0.1"},
		"the nearest that is no proxy, through two":       {lan, "10.1.2.3:1", []string{"198.51.100.9, 10.9.9.9"}, "198.51.100.9"},
		"a client that spoofs through a proxy":            {lan, "10.1.2.3:1", []string{"6.6.6.6, 198.51.100.9"}, "198.51.100.9"},
		"a client that claims to be a proxy":              {lan, "10.1.2.3:1", []string{"6.6.6.6, 10.9.9.9, 198.51.100.9"}, "198.51.100.9"},
		"a client that sends a header of its own":         {lan, "10.1.2.3:1", []string{"6.6.6.6", "198.51.100.9"}, "198.51.100.9"},
		"a client that sends an empty one":                {lan, "10.1.2.3:1", []string{"", "198.51.100.9"}, "198.51.100.9"},
		"a client that sends garbage":                     {lan, "10.1.2.3:1", []string{"nonsense, 198.51.100.9"}, "198.51.100.9"},
		"a hop on this host is no proxy, unless listed":   {lan, "10.1.2.3:1", []string{"6.6.6.6, 127.0.0.1"}, "127.0.0.1"},
		"nor is one on a private network":                 {lan, "10.1.2.3:1", []string{"6.6.6.6, 192.168.0.7"}, "192.168.0.7"},
		"nor one on the link":                             {lan, "10.1.2.3:1", []string{"6.6.6.6, 169.254.0.7"}, "169.254.0.7"},
		"garbage from the proxy itself":                   {lan, "10.1.2.3:1", []string{"nonsense"}, "10.1.2.3"},
		"a proxy that sends none":                         {lan, "10.1.2.3:1", nil, "10.1.2.3"},
		"nobody but proxies":                              {lan, "10.1.2.3:1", []string{"10.7.7.7, 10.9.9.9"}, "10.7.7.7"},
		"a client of version 6":                           {lan, "10.1.2.3:1", []string{"[2001:db8::7]"}, "2001:db8::7"},
		"a single address of version 4":                   {[]string{"10.1.2.3"}, "10.1.2.3:1", []string{"198.51.100.9"}, "198.51.100.9"},
		"its neighbour is no proxy":                       {[]string{"10.1.2.3"}, "10.1.2.4:1", []string{"6.6.6.6"}, "10.1.2.4"},
		"the order of the list is no matter":              {[]string{"203.0.113.1", "10.1.2.3"}, "10.1.2.3:1", []string{"198.51.100.9, 203.0.113.1"}, "198.51.100.9"},
		"a proxy in the list as version 6 in version 4":   {[]string{"::ffff:10.1.2.3"}, "10.1.2.3:1", []string{"198.51.100.9"}, "198.51.100.9"},
		"a peer that is no address is not believed":       {lan, "@", []string{"6.6.6.6"}, ""},
		"every address of version 4, for who insists":     {[]string{"0.0.0.0/0"}, "192.0.2.7:1", []string{"198.51.100.9"}, "198.51.100.9"},
		"a range of version 4 leaves out all of 6":        {[]string{"0.0.0.0/0"}, "[2001:db8::7]:1", []string{"6.6.6.6"}, "2001:db8::7"},
		"a range that is not at its first address stands": {[]string{"10.1.2.3/8"}, "10.200.0.1:1", []string{"198.51.100.9"}, "198.51.100.9"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			extract, err := middleware.TrustProxies(slog.New(slog.DiscardHandler), row.proxies...)
			if err != nil {
				t.Fatal(err)
			}
			r := request("GET")
			r.RemoteAddr = row.peer
			for _, value := range row.forwarded {
				r.Header.Add("X-Forwarded-For", value)
			}
			if got := extract(r); got != row.want {
				t.Errorf("address = %q, want %q", got, row.want)
			}
		})
	}
}

func TestTrustProxiesWarnsOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	extract, err := middleware.TrustProxies(slog.New(slog.NewTextHandler(&log, nil)), "10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	send := func(peer string, headers ...string) {
		r := request("GET", headers...)
		r.RemoteAddr = peer
		extract(r)
	}
	send("10.1.2.3:1", "X-Forwarded-For", "198.51.100.9")
	send("192.0.2.7:1")
	if log.Len() != 0 {
		t.Fatalf("log = %s, want nothing about a proxy and a plain client", log.String())
	}
	for range 3 {
		send("192.0.2.7:1", "X-Forwarded-For", "6.6.6.6")
	}
	if got := strings.Count(log.String(), "level=WARN"); got != 1 || !strings.Contains(log.String(), "peer=192.0.2.7") {
		t.Errorf("log = %s, want one warning with the peer", log.String())
	}
	if strings.Contains(log.String(), "6.6.6.6") {
		t.Errorf("log = %s, want nothing of the header", log.String())
	}
}

func TestTrustProxiesNamesAllThatIsMalformed(t *testing.T) {
	t.Parallel()
	extract, err := middleware.TrustProxies(nil, "10.0.0.0/8", "nonsense", "", "10.0.0.0/99", "10.0.0.300")
	if err == nil || extract != nil {
		t.Fatal("want an error and no extractor")
	}
	for _, entry := range []string{`"nonsense"`, `""`, `"10.0.0.0/99"`, `"10.0.0.300"`} {
		if !strings.Contains(err.Error(), entry) {
			t.Errorf("error = %v, want it to name %s", err, entry)
		}
	}
	if strings.Contains(err.Error(), `"10.0.0.0/8"`) {
		t.Errorf("error = %v names a good entry", err)
	}
}

func TestAddressKey(t *testing.T) {
	t.Parallel()
	rows := map[string]struct{ address, want string }{
		"version 4":                           {"192.0.2.7", "192.0.2.7"},
		"version 4 in version 6":              {"::ffff:192.0.2.7", "192.0.2.7"},
		"version 6":                           {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		"another address of the same network": {"2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"},
		"another network":                     {"2001:db8:1:3::1", "2001:db8:1:3::/64"},
		"in capital letters":                  {"2001:DB8:1:2::1", "2001:db8:1:2::/64"},
		"a zone":                              {"fe80::1%eth0", "fe80::/64"},
		"another zone":                        {"fe80::2%eth1", "fe80::/64"},
		"nothing":                             {"", "unknown"},
		"garbage":                             {"nonsense", "unknown"},
		"other garbage":                       {"6.6.6.6.6", "unknown"},
		"a port":                              {"192.0.2.7:80", "unknown"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := middleware.AddressKey(row.address); got != row.want {
				t.Errorf("AddressKey(%q) = %q, want %q", row.address, got, row.want)
			}
		})
	}
}
