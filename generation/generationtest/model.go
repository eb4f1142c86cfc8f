package generationtest

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// nameOfModel is what a model may be called.
var nameOfModel = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// validName reports whether a model may be called that.
func validName(name string) bool { return nameOfModel.MatchString(name) }

// embeds reports whether a model makes embeddings.
func embeds(name string) bool { return strings.Contains(name, "embedding") }

// checkModel checks that there is a model that can do this.
func (g *Gemini) checkModel(name string, op Operation) error {
	if slices.Contains(g.opts.Models, name) && (embeds(name) == (op == OpEmbed) || op == OpCountTokens || op == OpGetModel) {
		return nil
	}
	return &apiError{Code: http.StatusNotFound, Message: "models/" + name + " is not found for API version v1beta, or is not supported for " + string(op) +
		". Call ListModels to see the list of available models and their supported methods."}
}

// model returns a model as it is on the wire.
func model(name string) map[string]any {
	methods := []string{"generateContent", "countTokens"}
	if embeds(name) {
		methods = []string{"embedContent", "countTokens"}
	}
	return map[string]any{
		"name": "models/" + name, "displayName": name, "version": "001", "description": "A stand-in: no model at all.",
		"inputTokenLimit": 1048576, "outputTokenLimit": 65536, "supportedGenerationMethods": methods,
	}
}

func (x *exchange) listModels() (any, error) {
	models := make([]any, 0, len(x.g.opts.Models))
	for _, name := range x.g.opts.Models {
		models = append(models, model(name))
	}
	return page(models, "models", x.r.URL.Query())
}

func (x *exchange) getModel() (any, error) {
	if err := x.g.checkModel(x.name, x.op); err != nil {
		return nil, err
	}
	return model(x.name), nil
}

func (x *exchange) countTokens() (any, error) {
	var body struct {
		Contents               []content `json:"contents"`
		GenerateContentRequest *ask      `json:"generateContentRequest"`
	}
	if err := parse(x.body, &body); err != nil {
		return nil, err
	}
	if err := x.g.checkModel(x.name, x.op); err != nil {
		return nil, err
	}
	a := body.GenerateContentRequest
	if a == nil {
		a = &ask{Contents: body.Contents}
	}
	if err := x.g.check(a); err != nil {
		return nil, err
	}
	return map[string]any{"totalTokens": a.tokens()}, nil
}

// maxEmbeddings is how many contents one request may have.
const maxEmbeddings = 100

func (x *exchange) embed() (any, error) {
	var body struct {
		Requests []struct {
			Model                string  `json:"model"`
			Content              content `json:"content"`
			TaskType             string  `json:"taskType"`
			Title                string  `json:"title"`
			OutputDimensionality int     `json:"outputDimensionality"`
		} `json:"requests"`
	}
	if err := parse(x.body, &body); err != nil {
		return nil, err
	}
	if err := x.g.checkModel(x.name, x.op); err != nil {
		return nil, err
	}
	if n := len(body.Requests); n == 0 || n > maxEmbeddings {
		return nil, invalid("* BatchEmbedContentsRequest.requests: at least one and at most %d requests can be in one batch\n", maxEmbeddings)
	}
	embeddings := make([]any, len(body.Requests))
	for i, r := range body.Requests {
		if r.Model != "models/"+x.name {
			return nil, invalid("* BatchEmbedContentsRequest.requests[%d].model: unexpected model name format\n", i)
		}
		var text strings.Builder
		for _, p := range r.Content.Parts {
			text.WriteString(p.Text)
		}
		dimensions := r.OutputDimensionality
		if dimensions < 0 || dimensions > 3072 {
			return nil, invalid("* BatchEmbedContentsRequest.requests[%d].output_dimensionality: must be between 1 and 3072\n", i)
		}
		if dimensions == 0 {
			dimensions = 768
		}
		embeddings[i] = map[string]any{"values": vector(text.String(), dimensions)}
	}
	return map[string]any{"embeddings": embeddings}, nil
}

// vector returns a vector of length 1 that is the same for the same text, and means
// nothing.
func vector(text string, dimensions int) []float64 {
	out := make([]float64, dimensions)
	block, sum := sha256.Sum256([]byte(text)), 0.0
	for i := range out {
		if i > 0 && i%4 == 0 {
			block = sha256.Sum256(block[:])
		}
		v := float64(int64(binary.BigEndian.Uint64(block[i%4*8:]))) / math.MaxInt64 //nolint:gosec // the sign is wanted
		out[i], sum = v, sum+v*v
	}
	for i := range out {
		out[i] /= math.Sqrt(sum)
	}
	return out
}
