GOLANGCI_VERSION := v2.13.1
TOOLS   ?= $(CURDIR)/bin
LINT    := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 10s
CHAOS_TIME ?= 5m
CHAOS_EXCHANGES ?= 144000
FIDELITY_STREAMS ?= 10000
# Where Codex changed its telemetry, and what lies between.
PARITY_VERSIONS ?= 0.44.0,0.45.0,0.50.0,0.58.0,0.64.0,0.80.0,0.101.0,0.114.0,0.121.0,0.125.0,0.140.0,0.150.0,0.155.0,0.164.0,0.169.0
MODULES := . test/e2e bench

ROUNDS  ?= 2
MODES   ?= check,paced,flood,large
TIME    ?= 3s
ONLY    ?=
PIN     ?= yes
BENCH   := $(if $(filter yes,$(PIN)),taskset -c 1) $(CURDIR)/bin/bench
CPUS    := $(if $(filter yes,$(PIN)),-proxy-cpus 0 -rig-cpus 1)

.PHONY: help build run test race chaos fuzz lint fmt bench bench-growth bench-build microbench e2e parity check

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
build: ## Build the static binary bin/codex-proxy
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/codex-proxy ./cmd/codex-proxy
run: ## Serve on 127.0.0.1:8787; ARGS="--config FILE" and the like are passed on
	go run ./cmd/codex-proxy $(ARGS)
test: ## Vet and test; needs no network beyond the modules
	go vet ./... && go test ./...
	cd bench && go vet ./... && go test ./...
race: ## Test with the race detector
	CGO_ENABLED=1 go test -race $$(go list ./... | grep -v /test/chaos) # whose proxy is a program of its own
chaos: ## Kill, drain and wear out the binary for CHAOS_TIME, and compare FIDELITY_STREAMS streams; docs/reliability.md
	CHAOS_TIME=$(CHAOS_TIME) CHAOS_EXCHANGES=$(CHAOS_EXCHANGES) FIDELITY_STREAMS=$(FIDELITY_STREAMS) \
		go test -p 1 -count=1 -timeout 2h -v -run 'Test(BytesAreTheSame|FaultsOnTheWay|AbortAtEveryEvent|UpstreamEndsAtEveryEvent|PanicsBesideAWebSocket|Kill|Drain|Soak|FullDisk|FaultsBeforeTheCollector)$$' ./proxy ./test/chaos
	CHAOS=full go test -count=1 -v -run 'Test(SlowHeads|StalledBodies|HeaderFlood|RapidResets|IdleConnections)$$' ./cmd/codex-proxy
fuzz: ## Run every fuzz target for FUZZTIME each
	.ci/fuzz $(FUZZTIME)
lint: $(LINT) ## Lint all modules; go.mod must be tidy and the code as `go fix` leaves it
	for module in $(MODULES); do (cd $$module && $(LINT) run ./... && go mod tidy -diff && go fix -diff ./...) || exit 1; done
fmt: $(LINT) ## Format with gofumpt and goimports
	for module in $(MODULES); do (cd $$module && $(LINT) fmt ./...) || exit 1; done
microbench: ## Run the Go benchmarks beside the code
	go test -run '^$$' -bench . -benchmem ./...
bench: bench-build ## Measure beside other proxies: ROUNDS, TIME, MODES, ONLY, PIN=no; see bench/README.md
	cd bench && ulimit -n "$$(ulimit -Hn)" && $(BENCH) compare $(CPUS) -only '$(ONLY)' -modes $(MODES) -rounds $(ROUNDS) -t $(TIME) -o $(CURDIR)/bin/bench.json
bench-growth: bench-build ## Measure start, size, idle memory and GOMEMLIMIT
	cd bench && $(CURDIR)/bin/bench growth
bench-build: build
	cd bench && go build -o $(CURDIR)/bin/bench .
e2e: ## Drive the real Codex CLI and a real Collector receiver; needs npm, and downloads on first use
	cd test/e2e && go vet ./... && go test -count=1 ./...
parity: ## Compare with Codex's own telemetry, for PARITY_VERSIONS, and write docs/parity.md; needs npm, and takes half an hour
	cd test/e2e && CODEX_E2E_VERSIONS=$(PARITY_VERSIONS) CODEX_PARITY_PAGE=$(CURDIR)/docs/parity.md \
		go test -count=1 -timeout 3h -parallel 2 -run '^TestParity$$' .
check: lint test race chaos fuzz e2e ## Everything CI runs
$(LINT):
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@
