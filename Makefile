# Every module of the workspace; the nested ones are not part of ./... .
MODULES := . embedded examples e2e
GOLANGCI_VERSION := v2.15.0
GOLANGCI := $(CURDIR)/bin/golangci-lint-$(GOLANGCI_VERSION)
FUZZTIME ?= 1m
BENCHTIME ?= 1s
TESTFLAGS ?=

.PHONY: help
help: ## Show this help
	@grep -E '^[a-z/-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: run
run: ## Run the quickstart
	go run ./examples/quickstart

.PHONY: test
test: ## Run all tests of all modules
	go test -count=1 -timeout 15m $(TESTFLAGS) work

# e2e tests programs, which are built without the detector.
.PHONY: race
race: ## Run the tests under the race detector, those of programs apart
	go test -count=1 -race -timeout 15m $(TESTFLAGS) ./... ./embedded/... ./examples/...

.PHONY: check
check: fmt/check vet lint tidy/check race e2e ## Check format, vet, lint, module files, and run race tests

.PHONY: e2e
e2e: ## Run the tests of programs
	go test -count=1 -timeout 15m $(TESTFLAGS) ./e2e/...

.PHONY: vet
vet: ## Vet all modules
	go vet work

.PHONY: lint
lint: $(GOLANGCI) ## Lint all modules
	@set -e; for m in $(MODULES); do echo "lint $$m"; (cd $$m && $(GOLANGCI) run ./...); done

.PHONY: fmt
fmt: $(GOLANGCI) ## Format all modules
	@set -e; for m in $(MODULES); do (cd $$m && $(GOLANGCI) fmt ./...); done

.PHONY: fmt/check
fmt/check: $(GOLANGCI) ## Fail where a file is not formatted
	@set -e; for m in $(MODULES); do (cd $$m && $(GOLANGCI) fmt --diff ./...); done

.PHONY: tidy
tidy: ## Tidy all modules
	@set -e; for m in $(MODULES); do (cd $$m && GOWORK=off go mod tidy); done

.PHONY: tidy/check
tidy/check: ## Fail where a module is not tidy, and build each alone
	@set -e; for m in $(MODULES); do echo "alone $$m"; (cd $$m && GOWORK=off go mod tidy -diff && GOWORK=off go vet ./...); done

.PHONY: bench
bench: ## Run the benchmarks; BENCHTIME=1s
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -timeout 60m work

.PHONY: fuzz
fuzz: ## Run each fuzz target; FUZZTIME=1m
	@set -e; for m in $(MODULES); do \
	  for f in $$(cd $$m && grep -rlE '^func Fuzz' --include='*_test.go' . | grep -v '^\./\(embedded\|examples\|e2e\)/'); do \
	    for t in $$(cd $$m && sed -nE 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/p' $$f); do \
	      echo "fuzz $$t"; (cd $$m && go test -run '^$$' -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$f)); \
	    done; \
	  done; \
	done

$(GOLANGCI):
	@mkdir -p bin
	GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv bin/golangci-lint $@
