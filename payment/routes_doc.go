package payment

import "github.com/imadelakhaldev/coglex/service"

// codes returns the problem codes that every route has, and those of one besides.
func codes(more map[string]string) map[string]string {
	all := map[string]string{
		"invalid":              "400: the request is malformed; errors names the field.",
		"internal":             "500: the cause is in the log of the gateway, under the request_id.",
		"timeout":              "504: the database did not answer in time.",
		"database_unavailable": "503: the database is away.",
	}
	for code, text := range more {
		all[code] = text
	}
	return all
}

func docWebhook() *service.Doc {
	return &service.Doc{
		Description: "The body is Stripe's, byte for byte, with its `Stripe-Signature`. The answer is 200 as soon as the event is stored, " +
			"also where it was stored before, and whatever its type and version of the API.",
		Codes: map[string]string{
			"invalid":           "400: the body is no event.",
			"signature_invalid": "400: the signature is missing, malformed or wrong.",
			"signature_expired": "400: the signature is more than five minutes old, or ahead.",
			"too_large":         "413: the event has more than 1 MiB.",
			"not_stored":        "503: the event could not be stored; Stripe sends it again.",
			"internal":          "500: the cause is in the log of the gateway, under the request_id.",
		},
	}
}

func docEvents() *service.Doc {
	return &service.Doc{
		Description: "Several values of `id`, `type` and `state` are separated by commas. `Link` with `rel=\"next\"` leads to the next page. The payloads are left out.",
		Query: map[string]string{
			"id":    "Ids of events.",
			"type":  "Types, such as `invoice.paid`, or beginnings, such as `invoice.*`.",
			"state": "`pending`, `leased`, `done`, `dead` or `ignored`.",
			"since": "RFC 3339: events that Stripe created at this time or later.",
			"until": "RFC 3339: events that Stripe created before this time.",
			"limit": "How many events, 1 to 1000. Defaults to 100.",
			"skip":  "How many events to leave out. Defaults to 0.",
			"count": "`true` adds the header `X-Total-Count`.",
		},
		Codes: codes(nil),
	}
}

func docEvent() *service.Doc {
	return &service.Doc{
		Description: "`payload` is the event as Stripe sent it.",
		Codes:       codes(map[string]string{"not_found": "404: there is no such event."}),
	}
}

func docReplay() *service.Doc {
	return &service.Doc{
		Description: "The events that match all of `ids`, `types`, `states`, `since` and `until`, one of which must be given, become due now. " +
			"Subscribers that are done do not see them again, unless `again` is true or `subscribers` names them. " +
			"The answer has the ids of those that are `queued`, and of those that are `busy` in the hands of an instance; with `dry_run` nothing is changed.",
		Codes: codes(map[string]string{
			"unsupported_media_type": "415: the body is no JSON in UTF-8.",
			"too_large":              "413: the body is too large.",
		}),
	}
}
