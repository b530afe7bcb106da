# `make help` lists the verbs. `make run` and `make test` need a Rust toolchain and a C compiler, nothing else.

PROFILE ?= fast
BIN = $(or $(CARGO_TARGET_DIR),target)/$(PROFILE)
ADDR ?= 127.0.0.1:5000
DATA ?= ./data
PREFIX ?= /usr/local

.PHONY: help run install package lambda-local edge-function test lint conformance clients template package-lint package-test bench cost unknowns verify-local check

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

run: ## build, and serve ./data on 127.0.0.1:5000 (ADDR and DATA change that)
	cargo build --locked --profile $(PROFILE) --bin berth
	$(BIN)/berth serve --addr $(ADDR) --data $(DATA)

install: BIN = $(or $(CARGO_TARGET_DIR),target)/release
install: ## berth and docker-credential-berth, with manual and completions, into PREFIX=/usr/local (below DESTDIR); BIN=DIR installs what is built already
	$(if $(filter command,$(origin BIN)),,cargo build --locked --release --bin berth --bin docker-credential-berth)
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/man/man1" "$(DESTDIR)$(PREFIX)/share/doc/berth" \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions" "$(DESTDIR)$(PREFIX)/share/zsh/site-functions" \
		"$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d"
	install -m 755 "$(BIN)/berth" "$(BIN)/docker-credential-berth" "$(DESTDIR)$(PREFIX)/bin"
	install -m 644 LICENSE "$(DESTDIR)$(PREFIX)/share/doc/berth"
	"$(BIN)/berth" man --to "$(DESTDIR)$(PREFIX)/share/man/man1"
	"$(BIN)/berth" completions bash >"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/berth"
	"$(BIN)/berth" completions zsh >"$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_berth"
	"$(BIN)/berth" completions fish >"$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/berth.fish"

package: ## what deploys to AWS by the AWS CLI alone, into target/package: the function's zips, a template, SHA256SUMS (VERSION and ARCHITECTURES=arm64,x86_64 change that)
	tests/clients/install template
	infra/package/build $(if $(VERSION),--version $(VERSION)) $(if $(ARCHITECTURES),--architectures $(ARCHITECTURES))

lambda-local: ## build, and serve the deployment here: CloudFront, Lambda, S3, DynamoDB and STS, emulated (FRONT=http-api or function-url, ADDR, ARGS)
	cargo build --locked --profile $(PROFILE) -p berth -p berth-local --bin bootstrap --bin lambda-local
	$(BIN)/lambda-local --addr $(ADDR) $(if $(FRONT),--front $(FRONT)) $(ARGS)

edge-function: ## copy infra/edge/function.js into template.yaml
	infra/edge/embed

test: ## every test that needs cargo alone; S3 and DynamoDB are emulated in process
	cargo test --locked --workspace

lint: ## formatting, and clippy with warnings denied
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

$(BIN)/emulators $(BIN)/berth: FORCE
	cargo build --locked --profile $(PROFILE) --workspace --bins
FORCE:

conformance: $(BIN)/berth ## the OCI conformance program, 1.1 and dev: on a folder, on S3 with DynamoDB, through CloudFront and through an HTTP API
	tests/clients/install conformance
	BERTH_BIN=$(BIN)/berth BERTH_EMULATORS=$(BIN)/emulators BERTH_LAMBDA_LOCAL=$(BIN)/lambda-local tests/conformance/run

clients: $(BIN)/berth ## real clients push and pull: to a folder, through each front end by each kind of login, 1 GB through CloudFront and through berth gateway
	-tests/clients/install # what is missing is named by the runner; with CI=true that fails
	BERTH_BIN=$(BIN)/berth tests/clients/run
	BERTH_BIN=$(BIN)/berth BERTH_LAMBDA_LOCAL=$(BIN)/lambda-local tests/clients/lambda
	BERTH_BIN=$(BIN)/berth BERTH_LAMBDA_LOCAL=$(BIN)/lambda-local tests/clients/gateway
	BERTH_BIN=$(BIN)/berth BERTH_LAMBDA_LOCAL=$(BIN)/lambda-local tests/clients/own
	BERTH_BIN=$(BIN)/berth BERTH_LAMBDA_LOCAL=$(BIN)/lambda-local tests/clients/edge
	BERTH_BIN=$(BIN)/berth tests/clients/interop
	tests/clients/suite

unknowns: $(BIN)/berth ## every client, with each assumption about AWS inverted, one at a time (ARGS="--run 'cloudfront head-length=none'")
	-tests/clients/install # what is missing is named by the runner; with CI=true that fails
	BERTH_BIN=$(BIN)/berth BERTH_LAMBDA_LOCAL=$(BIN)/lambda-local tests/clients/unknowns $(ARGS)

template: $(BIN)/berth ## template.yaml: linters, sam build, a deployment into an emulated CloudFormation, and that in the local Lambda (ONLY=lint,deploy,local: no build)
	-tests/clients/install template njs # what is missing is named by the runner; with CI=true that fails
	BERTH_LAMBDA_LOCAL=$(BIN)/lambda-local tests/template/run $(if $(ONLY),--only $(ONLY))

package-lint: ## linters of the workflows, the Dockerfile and the shell scripts
	-tests/clients/install template package actionlint shellcheck # what is missing is named by the runner; with CI=true that fails
	tests/package/run --only lint

package-test: $(BIN)/berth ## those linters, and what `make package` and `make install` make, deployed by the AWS CLI into an emulated AWS; builds the function unless `make template` has (ONLY=lint,install: no build)
	-tests/clients/install template package actionlint shellcheck buildah # what is missing is named by the runner; with CI=true that fails
	BERTH_BIN=$(BIN)/berth BERTH_LAMBDA_LOCAL=$(BIN)/lambda-local tests/package/run $(if $(ONLY),--only $(ONLY))

verify-local: $(BIN)/berth ## infra/verify-on-aws: its parts, an emulated account, and the local stack in combinations of its assumptions (ARGS='--largest 4096': in all)
	BERTH_BIN=$(BIN)/berth BERTH_LAMBDA_LOCAL=$(BIN)/lambda-local tests/verify/run $(ARGS)

bench: ## side by side with distribution 3.1 and docker-registry 2.8 (PEERS=name=host:port adds others); cold starts; what a pushed blob costs
	tests/clients/install distribution docker-registry skopeo wrk
	cargo build --locked --release --bin berth --bin bootstrap
	cargo build --locked --release -p berth-local --bin lambda-local # apart, or its features would be in bootstrap too
	BERTH_BIN=$(or $(CARGO_TARGET_DIR),target)/release/berth tests/bench/run
	tests/bench/cold_start
	BERTH_BIN=$(or $(CARGO_TARGET_DIR),target)/release/berth BERTH_LAMBDA_LOCAL=$(or $(CARGO_TARGET_DIR),target)/release/lambda-local tests/clients/own

cost: ## dollars on AWS behind each front end, from measured requests and infra/prices.json, beside distribution 3.1 and ECR (ARGS=--json)
	-tests/clients/install distribution # what is missing is named by the runner; with CI=true that fails
	cargo build --locked --release --bin bootstrap
	cargo build --locked --release -p berth-local --bin lambda-local
	tests/cost/run $(ARGS)

check: lint test conformance clients template package-test verify-local ## everything that CI runs
