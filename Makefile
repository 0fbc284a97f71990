# Imdad. `make` alone lists the targets; the two to know are `make demo` and `make test`.

GOTESTSUM_VERSION     := v1.13.0
GOLANGCI_LINT_VERSION := v2.15.0
BUF_VERSION           := v1.71.0
# That of google.golang.org/protobuf in go.mod.
PROTOC_GEN_GO_VERSION := v1.36.12

TOOLS  := $(CURDIR)/.tools
SUM    := $(TOOLS)/gotestsum-$(GOTESTSUM_VERSION)
LINTER := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
BUF    := $(TOOLS)/buf-$(BUF_VERSION)
GEN_GO := $(TOOLS)/protoc-gen-go-$(PROTOC_GEN_GO_VERSION)
PROTO  := collector/decode/sparkplugpb

# Variables to set on the command line.
FOR      ?=
SPEED    ?=
DATA     ?=
FUZZTIME ?= 2m
SEEDS    ?= 20

# Nothing here needs a C compiler, and what is built runs on any Linux.
export CGO_ENABLED := 0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9\/-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build bin/influxd ## a simulated city, end to end, on loopback: make demo [FOR=30s] [SPEED=60] [DATA=dir]
	@bin/imdad demo $(if $(FOR),--for $(FOR)) $(if $(SPEED),--speed $(SPEED)) $(if $(DATA),--data $(DATA))

.PHONY: build
build: bin/imdad bin/metersim ## build the service and the simulated meters into bin/

.PHONY: bin/imdad bin/metersim
bin/imdad bin/metersim:
	go build -trimpath -o $@ ./cmd/$(@F)

# The real InfluxDB 1.8.3, from a module of its own; under a minute, once.
bin/influxd: $(wildcard deploy/influxd/*.go) deploy/influxd/go.mod deploy/influxd/go.sum
	cd deploy/influxd && go build -trimpath -o ../../$@ .

.PHONY: peers
peers: bin/influxd
	@deploy/dev/install

.PHONY: test
test: peers $(SUM) ## every test, end-to-end ones included
	go vet ./...
	$(SUM) --format pkgname -- -p 2 -timeout 25m ./...

.PHONY: e2e
e2e: peers $(SUM) ## the end-to-end tests only
	$(SUM) --format testname -- -count=1 -timeout 25m -run '^TestE2E' ./cmd/imdad

.PHONY: check
check: lint test ## lint and test: what a change must pass

.PHONY: lint
lint: $(LINTER) ## the import law, formatting and static checks
	$(LINTER) run ./...
	cd deploy/influxd && go vet ./...

.PHONY: fmt
fmt: $(LINTER) ## format all Go code
	$(LINTER) fmt ./...

.PHONY: proto
proto: $(BUF) $(GEN_GO) ## compile the .proto of Sparkplug payloads; the result is kept in the repository
	$(BUF) generate $(PROTO) --template '{"version": "v2", "plugins": [{"local": "$(GEN_GO)", "out": "$(PROTO)", "opt": "paths=source_relative"}]}'
	cd $(PROTO) && sha256sum sparkplug.proto sparkplug.pb.go > sparkplug.sum

.PHONY: bench
bench: peers ## Go benchmarks, then the whole pipeline against a bare client, and alerting
	go test -run '^$$' -bench . -benchmem ./...
	go run ./cmd/imdad/internal/bench

.PHONY: scenarios
scenarios: ## play every scenario on SEEDS=20 seeds and print recall, precision and delays
	go run ./cmd/imdad/internal/scenarios --seeds $(SEEDS)

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME=2m each
	@deploy/dev/fuzz $(FUZZTIME)

.PHONY: tools
tools: $(SUM) $(LINTER) peers ## install what tests and lint need

.PHONY: clean
clean: ## remove what was built, tools included
	rm -rf bin .tools

$(SUM):
	@deploy/dev/go-tool $@ gotest.tools/gotestsum@$(GOTESTSUM_VERSION)

$(BUF):
	@deploy/dev/go-tool $@ github.com/bufbuild/buf/cmd/buf@$(BUF_VERSION)

$(GEN_GO):
	@deploy/dev/go-tool $@ google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOC_GEN_GO_VERSION)

$(LINTER):
	@deploy/dev/go-tool $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
