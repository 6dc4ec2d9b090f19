GOLANGCI_VERSION := v2.13.1
TOOLS   ?= $(CURDIR)/bin
LINT    := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 10s

.PHONY: help build run test race fuzz lint fmt bench e2e check
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "%-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
build: ## Build the static binary bin/codex-proxy
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/codex-proxy ./cmd/codex-proxy
run: ## Serve on 127.0.0.1:8787; ARGS="--config FILE" and the like are passed on
	go run ./cmd/codex-proxy $(ARGS)
test: ## Vet and test; needs no network beyond the modules
	go vet ./...
	go test ./...
race: ## Test with the race detector
	CGO_ENABLED=1 go test -race ./...
fuzz: ## Run every fuzz target for FUZZTIME each
	.ci/fuzz $(FUZZTIME)
lint: $(LINT) ## Lint both modules; go.mod must be tidy and the code as `go fix` leaves it
	$(LINT) run ./... && cd test/e2e && $(LINT) run ./...
	go mod tidy -diff && cd test/e2e && go mod tidy -diff
	go fix -diff ./... && cd test/e2e && go fix -diff ./...
fmt: $(LINT) ## Format with gofumpt and goimports
	$(LINT) fmt ./... && cd test/e2e && $(LINT) fmt ./...
bench: ## Run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...
e2e: ## Drive the real Codex CLI and a real Collector receiver; needs npm, and downloads on first use
	cd test/e2e && go vet ./... && go test -count=1 ./...
check: lint test race fuzz e2e ## Everything CI runs
$(LINT):
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@
