package paymenttest

import (
	"html/template"
	"net/http"
	"time"
)

// page is what a person sees who follows a URL of ours.
type page struct {
	Title, Text string
	Buttons     []button
}

// button posts a choice to the page's own address.
type button struct{ Choice, Label string }

// layout is the page as HTML.
const layout = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Title}}</title><style>body{font:1rem/1.5 system-ui;max-width:30rem;margin:4rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1rem;margin-right:.5rem}</style></head>
<body><h1>{{.Title}}</h1><p>{{.Text}}</p><p>This is a test: no money moves.</p>
<form method="post">{{range .Buttons}}<button name="choice" value="{{.Choice}}">{{.Label}}</button>{{end}}</form></body></html>
`

func (p page) write(w http.ResponseWriter, status int) {
	t, err := template.New("page").Parse(layout)
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = t.Execute(w, p) // the customer left
}

// copyOf returns an object as it is now, nil where there is none.
func (s *Stripe) copyOf(k kind, id string) object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.find(k, id).clone()
}

// date writes a time for people.
func date(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.DateOnly) }

// choice reads which button was pressed. Without one it is the first, so that a
// bare POST will do.
func choice(w http.ResponseWriter, r *http.Request, def string) string {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if c := r.FormValue("choice"); c != "" {
		return c
	}
	return def
}
