package generation

import (
	"cmp"
	"context"
	"slices"
)

// maxFailing is after how many rounds in which every call failed Gemini is asked for
// no more of them: a model that does not get the arguments right seldom learns.
const maxFailing = 3

// loop is a conversation in which Gemini may call functions.
type loop struct {
	s *Service
	c *call
	// client are the names that the caller declared, and answers by itself.
	client []string

	reply Reply
	turn  []Part // what Gemini says in the call under way
	spent Usage  // of the calls that have ended
	round int    // how many rounds of functions there were
	// failing is how many rounds there were in a row in which nothing succeeded.
	failing int
}

func (s *Service) newLoop(c *call) (*loop, error) {
	l := &loop{s: s, c: c}
	if c.toolset == nil {
		return l, nil
	}
	for _, d := range c.declarations {
		l.client = append(l.client, d.Name)
	}
	declared, err := declare(c.toolset, c.functions)
	if err != nil {
		return nil, err
	}
	c.declarations = append(c.declarations, declared...)
	return l, nil
}

// converse asks Gemini, and calls the functions that it asks for. Where it fails,
// the reply has what was said and done until then.
func (s *Service) converse(ctx context.Context, c *call) (*Reply, error) {
	l, err := s.newLoop(c)
	if err != nil {
		return nil, err
	}
	for more := true; more; {
		a, err := s.generate(ctx, c)
		if a != nil {
			l.turn = a.parts
			l.note(a)
		}
		l.endTurn()
		if err != nil {
			return l.broken(), err
		}
		if _, more, err = l.step(ctx); err != nil {
			return l.broken(), err
		}
	}
	return &l.reply, nil
}

// note keeps what an answer, or the latest piece of one, says beside its parts.
func (l *loop) note(a *answer) {
	l.reply.Usage = l.spent.add(a.usage)
	l.reply.FinishReason = cmp.Or(a.finish, l.reply.FinishReason)
	l.reply.Model = cmp.Or(a.model, l.reply.Model)
}

// endTurn ends what Gemini says in one call.
func (l *loop) endTurn() {
	l.spent = l.reply.Usage
	l.reply.Parts = l.turn
	if len(l.turn) > 0 {
		l.add(Content{Role: RoleModel, Parts: l.turn})
	}
	l.turn = nil
}

// add adds a turn to the conversation.
func (l *loop) add(c Content) {
	l.reply.History = append(l.reply.History, c)
	l.c.contents = append(l.c.contents, c)
}

// broken returns what there is of a conversation that failed, nil where there is
// nothing.
func (l *loop) broken() *Reply {
	if len(l.reply.History) == 0 {
		return nil
	}
	return &l.reply
}

// step calls the functions that Gemini has asked for, and returns their results, and
// whether Gemini is to be asked again.
func (l *loop) step(ctx context.Context) (results []Part, more bool, err error) {
	if l.c.toolset == nil || l.c.noFunctions {
		return nil, false, nil
	}
	ours, clients := l.calls()
	if len(ours) == 0 {
		return nil, false, nil
	}
	l.round++
	results, succeeded, err := l.run(ctx, ours)
	l.add(Content{Role: RoleUser, Parts: results})
	if err != nil || clients > 0 {
		return results, false, err
	}
	l.failing++
	if succeeded > 0 {
		l.failing = 0
	}
	l.c.noFunctions = l.round >= l.s.opts.MaxRounds || l.failing >= maxFailing
	l.c.config = unforced(l.c.config)
	return results, true, nil
}

// calls returns the calls of the last turn that are ours to make, those of functions
// that there are not included, and counts those that are the client's.
func (l *loop) calls() (ours []FunctionCall, clients int) {
	for _, p := range l.reply.Parts {
		call, ok := p.FunctionCall()
		switch {
		case !ok:
		case slices.Contains(l.client, call.Name):
			clients++
		default:
			ours = append(ours, call)
		}
	}
	return ours, clients
}

// unforced returns a configuration under which the model may answer: what must call
// a function each time never comes to an end.
func unforced(c *Config) *Config {
	if c == nil || c.FunctionCalling == nil || c.FunctionCalling.Mode != "ANY" {
		return c
	}
	free := *c
	free.FunctionCalling = nil
	return &free
}
