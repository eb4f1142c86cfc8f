package generation

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"google.golang.org/genai"

	"github.com/imadelakhaldev/coglex/signals"
)

// generate makes one call of Gemini, which is tried again as the options say, and
// puts it to the accounts.
func (s *Service) generate(ctx context.Context, c *call) (a *answer, err error) {
	if err := s.admit(ctx); err != nil {
		return nil, err
	}
	began := s.opts.Now()
	defer func() { s.settle(ctx, c, began, usageOf(a), err, false) }()
	bounded, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	config := c.sdk()
	err = s.retrying(bounded, func() error {
		a, err = s.generateOnce(bounded, c, config)
		return err
	})
	if err != nil {
		return a, err
	}
	return a, complete(a.finish, len(a.parts))
}

// generateOnce makes one request.
func (s *Service) generateOnce(ctx context.Context, c *call, config *genai.GenerateContentConfig) (*answer, error) {
	ctx, x := begin(ctx, c.key, false)
	var res *genai.GenerateContentResponse
	err := s.safely(ctx, func() (err error) {
		res, err = s.gemini.Models.GenerateContent(ctx, c.model, nil, config)
		return err
	})
	if err != nil {
		return nil, x.failure(ctx, err, c.ownKey)
	}
	return read(res, x.body)
}

// read returns what came: the parts as they are in raw, all else as the SDK has it.
func read(res *genai.GenerateContentResponse, raw []byte) (*answer, error) {
	parts, err := rawParts(raw)
	if err != nil {
		return nil, err
	}
	a := &answer{parts: parts, model: res.ModelVersion}
	if u := res.UsageMetadata; u != nil {
		a.usage = Usage{
			Input:    count(u.PromptTokenCount) + count(u.ToolUsePromptTokenCount),
			Output:   count(u.CandidatesTokenCount),
			Cached:   count(u.CachedContentTokenCount),
			Thoughts: count(u.ThoughtsTokenCount),
			Total:    count(u.TotalTokenCount),
		}
	}
	if f := res.PromptFeedback; f != nil && f.BlockReason != "" && f.BlockReason != genai.BlockedReasonUnspecified {
		return a, &BlockedError{Reason: word(string(f.BlockReason))}
	}
	if len(res.Candidates) > 0 && res.Candidates[0] != nil {
		a.finish = word(string(res.Candidates[0].FinishReason))
	}
	return a, nil
}

// count returns a number of tokens. None is negative: it would give back to an
// account what was used.
func count(n int32) int64 { return int64(max(n, 0)) }

// rawParts returns the parts of the first candidate as they came.
func rawParts(raw []byte) ([]Part, error) {
	var res struct {
		Candidates []struct {
			Content struct {
				Parts []Part `json:"parts"`
			} `json:"content"`
		} `json:"candidates"`
	}
	if err := json.Unmarshal(raw, &res); err != nil {
		return nil, &UpstreamError{Status: http.StatusOK, Message: notUnderstood, final: true}
	}
	if len(res.Candidates) == 0 {
		return nil, nil
	}
	return res.Candidates[0].Content.Parts, nil
}

// complete says what is wrong with an answer that ended so, after so many parts.
func complete(finish string, parts int) error {
	switch {
	case isRefusal(finish), isFailure(finish):
		return &FinishError{Reason: finish}
	case parts > 0:
		return nil
	case finish != "" && finish != string(genai.FinishReasonStop):
		return &FinishError{Reason: finish}
	}
	return ErrNoAnswer
}

// settle tells of a call that has ended: to the accounts, and to subscribers.
func (s *Service) settle(ctx context.Context, c *call, began time.Time, u Usage, err error, streamed bool) {
	outcome := outcomeOf(err)
	s.account(ctx, c.model, u, outcome)
	signals.Announce(ctx, s.bus(), Generated{
		Model: c.model, Usage: u, Duration: s.opts.Now().Sub(began), Outcome: outcome,
		UserID: c.user, OwnKey: c.ownKey, Stream: streamed,
	})
}

func usageOf(a *answer) Usage {
	if a == nil {
		return Usage{}
	}
	return a.usage
}

// safely calls the SDK, which panics where an answer is not what it expects.
func (s *Service) safely(ctx context.Context, fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.log().ErrorContext(ctx, "the SDK of Gemini panicked", "type", fmt.Sprintf("%T", v))
			err = errPanicked
		}
	}()
	return fn()
}
