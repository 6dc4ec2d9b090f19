GOLANGCI_VERSION := v2.13.1
TOOLS   ?= $(CURDIR)/bin
LINT    := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# Each release where Codex changed its telemetry, and some between.
PARITY_VERSIONS ?= 0.44.0,0.45.0,0.50.0,0.58.0,0.64.0,0.80.0,0.101.0,0.114.0,0.121.0,0.125.0,0.140.0,0.150.0,0.155.0,0.164.0,0.169.0
EACH    := set -e; for module in . test/e2e bench; do cd $(CURDIR)/$$module;

.PHONY: help build run test race chaos fuzz lint fmt bench microbench e2e parity check
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "%-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
build: ## Build the static binary bin/codex-proxy
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/codex-proxy ./cmd/codex-proxy
run: ## Serve on 127.0.0.1:8787; ARGS="--config FILE" and the like are passed on
	go run ./cmd/codex-proxy $(ARGS)
test: ## Vet and test; needs no network beyond the modules
	go vet ./... && go test ./... && cd bench && go vet ./... && go test ./...
race: ## Test with the race detector, but for test/chaos, whose proxy is a program of its own
	CGO_ENABLED=1 go test -race -short $$(go list ./... | grep -v /test/chaos)
chaos: ## Kill, drain and wear out the binary, and compare its bytes; docs/reliability.md
	.ci/chaos
fuzz: ## Run every fuzz target for FUZZTIME each, 2m by default
	.ci/fuzz $(FUZZTIME)
lint: $(LINT) ## Lint all modules; go.mod must be tidy and the code as `go fix` leaves it
	$(EACH) $(LINT) run ./...; go mod tidy -diff; go fix -diff ./...; done
fmt: $(LINT) ## Format with gofumpt and goimports
	$(EACH) $(LINT) fmt ./...; done
bench: ## Measure beside other proxies; bench/README.md
	bench/run
microbench: ## Run the Go benchmarks beside the code COUNT times, for benchstat
	go test -run '^$$' -bench . -benchmem -count $(or $(COUNT),1) ./...
e2e: ## Drive the real Codex CLI and a real Collector receiver; needs npm, and downloads on first use
	cd test/e2e && go vet ./... && go test -count=1 ./...
parity: export CODEX_E2E_VERSIONS = $(PARITY_VERSIONS)
parity: ## Compare with Codex's own telemetry, for PARITY_VERSIONS, and write docs/parity.md; needs npm, and takes half an hour
	cd test/e2e && CODEX_PARITY_PAGE=$(CURDIR)/docs/parity.md go test -count=1 -timeout 3h -parallel 2 -run '^TestParity$$' .
check: lint test race chaos fuzz e2e ## Everything, at full length; CONTRIBUTING.md has the bounds of CI
$(LINT):
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION) && mv $(TOOLS)/golangci-lint $@
