package paymenttest

import (
	"fmt"
	"net/http"
	"strings"
)

// showPayment is the page of a checkout, or of an invoice.
func (s *Stripe) showPayment(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if o := s.copyOf(kindInvoice, id); o != nil && o.str("status") == "open" {
		page{
			Title: "Invoice " + o.str("number"), Text: price(o.int("amount_due"), o.str("currency")),
			Buttons: []button{{"pay", "Pay"}},
		}.write(w, http.StatusOK)
		return
	}
	o := s.copyOf(kindCheckout, id)
	switch {
	case o == nil:
		page{Title: "Nothing to pay", Text: "There is no such payment."}.write(w, http.StatusNotFound)
	case o.str("status") != "open":
		page{Title: "Checkout", Text: "This checkout is " + o.str("status") + "."}.write(w, http.StatusGone)
	default:
		page{
			Title: "Checkout", Text: summary(o),
			Buttons: []button{{"pay", "Pay"}, {"later", "Pay by bank transfer"}, {"decline", "Pay with a bad card"}, {"cancel", "Cancel"}},
		}.write(w, http.StatusOK)
	}
}

// summary says what is bought.
func summary(o object) string {
	if o.str("mode") == "setup" {
		return "Save a card for later."
	}
	var lines []string
	for _, item := range o.data("_line_items") {
		lines = append(lines, fmt.Sprintf("%d × %s", item.int("quantity"), item.str("description")))
	}
	return strings.Join(lines, ", ") + ": " + price(o.int("amount_total"), o.str("currency"))
}

// price writes an amount for people.
func price(amount int64, currency string) string {
	return fmt.Sprintf("%d.%02d %s", amount/100, amount%100, strings.ToUpper(currency))
}

// takePayment does what was chosen on the page and sends the customer back.
func (s *Stripe) takePayment(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if s.copyOf(kindInvoice, id) != nil {
		s.finishPayment(w, r, s.PayInvoice(r.Context(), id), "/pay/"+id)
		return
	}
	o := s.copyOf(kindCheckout, id)
	if o == nil {
		s.showPayment(w, r)
		return
	}
	switch choice(w, r, "pay") {
	case "cancel":
		s.finishPayment(w, r, nil, o.str("cancel_url"))
	case "decline":
		s.finishPayment(w, r, s.DeclineCheckout(r.Context(), id), "/pay/"+id)
	case "later":
		s.finishPayment(w, r, s.CompleteCheckoutLater(r.Context(), id), returnURL(o))
	case "pay":
		s.finishPayment(w, r, s.CompleteCheckout(r.Context(), id), returnURL(o))
	default:
		page{Title: "Checkout", Text: "There is no such button."}.write(w, http.StatusBadRequest)
	}
}

// finishPayment sends the customer on, or says why not.
func (s *Stripe) finishPayment(w http.ResponseWriter, r *http.Request, err error, to string) {
	switch {
	case err != nil:
		page{Title: "Checkout", Text: "This can no longer be paid."}.write(w, http.StatusConflict)
	case to == "":
		page{Title: "Thank you", Text: "You may close this page."}.write(w, http.StatusOK)
	default:
		http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // whoever holds the key says where to
	}
}
