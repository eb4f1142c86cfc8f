package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/imadelakhaldev/coglex"
)

// announce tells the person who started the gateway what they have now.
func announce(w io.Writer, app *coglex.App, vendors *standIns, url, database, secret string, made bool) {
	var b strings.Builder
	fmt.Fprintf(&b, "\nCoglex serves on %s\n\n", url)
	fmt.Fprintf(&b, "  database   %s\n", database)
	for _, s := range summarize(app) {
		fmt.Fprintf(&b, "  %-10s %d routes under %s\n", s.name, s.routes, s.prefix)
	}
	b.WriteString("  own        GET /me, GET /hello, /mcp, GET /health/live, GET /health/ready\n")
	if vendors.stripe != nil {
		fmt.Fprintf(&b, "\n  STRIPE_SECRET_KEY IS NOT SET. A stand-in on %s takes its place: no money moves.\n", vendors.stripe.URL())
	}
	if vendors.gemini != nil {
		fmt.Fprintf(&b, "\n  GENERATION_KEY IS NOT SET. A stand-in on %s takes Gemini's place: it repeats what it is told.\n", vendors.gemini.URL())
	}
	shown := "<your SERVER_SECRET>" // a secret that someone chose is not for the screen
	if made {
		shown = secret
		b.WriteString("\n  SERVER_SECRET IS NOT SET. This one was made for now and is gone when the gateway stops,\n" +
			"  and with it every token. Set your own before anything matters:\n\n")
		fmt.Fprintf(&b, "    export SERVER_SECRET=%s\n", secret)
	}
	fmt.Fprintf(&b, "\n  Try it:\n\n    curl -H \"X-API-Key: %s\" %s/hello\n\n", shown, url)
	fmt.Fprint(w, b.String()) //nolint:errcheck // a banner nobody reads stops nothing
}

// mounted is a service as a person sees it.
type mounted struct {
	name, prefix string
	routes       int
}

// summarize counts the routes of each service.
func summarize(app *coglex.App) []mounted {
	var list []mounted
	for _, route := range app.Routes() {
		if len(list) == 0 || list[len(list)-1].name != route.Service {
			list = append(list, mounted{name: route.Service, prefix: strings.TrimSuffix(route.Path, route.Route.Path)})
		}
		list[len(list)-1].routes++
	}
	return list
}
