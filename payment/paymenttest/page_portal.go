package paymenttest

import (
	"fmt"
	"net/http"
)

// showPortal is the page on which customers end their subscriptions.
func (s *Stripe) showPortal(w http.ResponseWriter, r *http.Request) {
	portal := s.copyOf(kindPortal, r.PathValue("id"))
	if portal == nil {
		page{Title: "Nothing here", Text: "There is no such page."}.write(w, http.StatusNotFound)
		return
	}
	p := page{Title: "Your subscriptions", Text: "None is running."}
	for _, sub := range s.running(portal.str("customer")) {
		p.Text = "These are running."
		name := fmt.Sprintf("%s, until %s", sub.str("id"), date(sub.int("current_period_end")))
		if sub.bool("cancel_at_period_end") {
			p.Buttons = append(p.Buttons, button{"keep " + sub.str("id"), "Keep " + name})
		} else {
			p.Buttons = append(p.Buttons, button{"cancel " + sub.str("id"), "Cancel " + name})
		}
	}
	p.Buttons = append(p.Buttons, button{"return", "Return"})
	p.write(w, http.StatusOK)
}

// running returns the subscriptions of a customer that are not over.
func (s *Stripe) running(customer string) []object {
	s.mu.Lock()
	defer s.mu.Unlock()
	var running []object
	for _, sub := range s.state.all(kindSubscription) {
		if sub.str("customer") == customer && !ended(sub) {
			running = append(running, sub.clone())
		}
	}
	return running
}

// usePortal does what was chosen on the page. A bare POST makes every subscription
// end with its period.
func (s *Stripe) usePortal(w http.ResponseWriter, r *http.Request) {
	portal := s.copyOf(kindPortal, r.PathValue("id"))
	if portal == nil {
		s.showPortal(w, r)
		return
	}
	chosen := choice(w, r, "all")
	if chosen == "return" && portal["return_url"] != nil {
		http.Redirect(w, r, portal.str("return_url"), http.StatusSeeOther) //nolint:gosec // whoever holds the key says where to
		return
	}
	err := s.act(r.Context(), func(st *state) *Failure {
		for _, sub := range st.all(kindSubscription) {
			if sub.str("customer") != portal.str("customer") || ended(sub) {
				continue
			}
			switch chosen {
			case "all", "cancel " + sub.str("id"):
				st.endWithPeriod(sub, true)
			case "keep " + sub.str("id"):
				st.endWithPeriod(sub, false)
			}
		}
		return nil
	})
	s.finishPayment(w, r, err, r.URL.Path)
}

// endWithPeriod makes a subscription end with its period, or not.
func (s *state) endWithPeriod(sub object, ends bool) {
	if sub.bool("cancel_at_period_end") == ends {
		return
	}
	before := sub.clone()
	sub["cancel_at_period_end"], sub["cancel_at"], sub["canceled_at"] = ends, nil, nil
	if ends {
		sub["cancel_at"], sub["canceled_at"] = sub["current_period_end"], s.now
	}
	s.emitChange("customer.subscription.updated", before, sub)
}
