package middleware

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/labstack/echo/v4"
)

// ClientAddress returns the address a request comes from: what echo's
// IPExtractor says where the host set one, else the peer of the connection.
// Without an IPExtractor echo's own RealIP would believe any X-Forwarded-For.
func ClientAddress(c echo.Context) string {
	if c.Echo() != nil && c.Echo().IPExtractor != nil {
		return c.RealIP()
	}
	return peer(c.Request())
}

// AddressKey returns what limits count an address under: the address itself, or
// the /64 network of an IPv6 address, which one subscriber has to themselves.
// Whatever is no address counts as one and the same, "unknown", so that nobody
// escapes a limit by making addresses up.
func AddressKey(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	addr = addr.Unmap()
	if addr.Is4() {
		return addr.String()
	}
	network, err := addr.Prefix(64)
	if err != nil {
		return addr.String()
	}
	return network.String()
}

// TrustProxies returns an extractor for echo's IPExtractor that believes the
// X-Forwarded-For header of these proxies only, given as addresses or CIDR
// ranges; with none it believes nobody's. The header is read from its end, where
// the nearest proxy wrote: the client is the first address that is no proxy.
//
// The first time that another peer sends the header, a warning is logged: either
// a proxy is missing in the list, or someone tries to look like someone else. A
// nil logger is slog.Default(). All malformed entries are returned as one error.
func TrustProxies(logger *slog.Logger, proxies ...string) (echo.IPExtractor, error) {
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	var ranges []*net.IPNet
	var errs []error
	for _, proxy := range proxies {
		network, err := parseRange(proxy)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ranges = append(ranges, network)
		trust = append(trust, echo.TrustIPRange(network))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if logger == nil {
		logger = slog.Default()
	}
	forwarded, direct := echo.ExtractIPFromXFFHeader(trust...), echo.ExtractIPDirect()
	var once sync.Once
	return func(r *http.Request) string {
		if len(r.Header[echo.HeaderXForwardedFor]) == 0 {
			return direct(r)
		}
		if !within(ranges, peer(r)) {
			once.Do(func() {
				logger.Warn("X-Forwarded-For from a peer that is no trusted proxy is ignored", slog.String("peer", peer(r)))
			})
			return direct(r)
		}
		return forwarded(r)
	}, nil
}

// parseRange reads an address or a CIDR range.
func parseRange(text string) (*net.IPNet, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		bits := addr.BitLen()
		return &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(bits, bits)}, nil
	}
	_, network, err := net.ParseCIDR(text)
	if err != nil {
		return nil, fmt.Errorf("middleware: trusted proxy %q is neither an address nor a CIDR range", text)
	}
	return network, nil
}

func within(ranges []*net.IPNet, address string) bool {
	ip := net.ParseIP(address)
	for _, network := range ranges {
		if ip != nil && network.Contains(ip) {
			return true
		}
	}
	return false
}

// peer returns the address at the other end of the connection.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
