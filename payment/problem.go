package payment

import "github.com/imadelakhaldev/coglex/service"

// stripeProblems is where errors of Stripe become answers.
func stripeProblems() []service.Rule { return nil }
