# Everything that one types. `make help` lists it.

# The folder that `latchkey serve` takes unless --data-dir says otherwise.
DATA_DIR = $${LATCHKEY_DATA_DIR:-$$([ "$$(id -u)" = 0 ] && echo /var/lib || echo "$${XDG_DATA_HOME:-$$HOME/.local/share}")/latchkey}
RELEASE  = $${CARGO_TARGET_DIR:-$(CURDIR)/target}/release/latchkey

# FEATURES=bundled compiles libpq and OpenSSL in, where the system has no libpq.
export FEATURES
BUILD    = cargo build --locked $(if $(FEATURES),--features "$(FEATURES)")

.PHONY: help run test test-long test-memory fuzz storm check doc deny dist admin-token
.DEFAULT_GOAL := help

help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

run: ## set up, then serve on http://127.0.0.1:8080; more flags: make run ARGS="--listen 127.0.0.1:8090"
	@script/setup run
	@$(BUILD) --release
	@exec "$(RELEASE)" serve $(ARGS)

test: ## set up, then run every test but the long ones and those of test-memory and storm
	@script/setup test
	@$(BUILD) --release
	@LATCHKEY_RELEASE_BINARY="$(RELEASE)" cargo test --locked $(if $(FEATURES),--features "$(FEATURES)")

test-long: ## what searches for faults: schemathesis, near-valid requests for a minute, a storm in its short form
	@script/setup test
	@cargo test --locked $(if $(FEATURES),--features "$(FEATURES)") --test service -- --ignored --exact \
		clients::schemathesis_finds_nothing bad_input::fuzz::near_valid_requests_find_no_fault \
		storm::a_short_storm_leaves_the_quiet_tenant_alone

test-memory: ## measure how much memory an idle release build takes
	@script/setup test
	@$(BUILD) --release
	@LATCHKEY_RELEASE_BINARY="$(RELEASE)" cargo test --locked $(if $(FEATURES),--features "$(FEATURES)") \
		--test service -- --ignored --exact memory::a_release_build_idles_in_little_memory

fuzz: ## send near-valid requests for an hour; LATCHKEY_FUZZ_SECONDS and LATCHKEY_FUZZ_SEED say otherwise
	@script/setup test
	@LATCHKEY_FUZZ_SECONDS="$${LATCHKEY_FUZZ_SECONDS:-3600}" \
		cargo test --locked $(if $(FEATURES),--features "$(FEATURES)") --test service -- \
		--ignored --nocapture bad_input::fuzz::

storm: ## ten minutes of hostile tenants beside a quiet one, then 60 times kill -9, on a release build
	@script/setup test
	@$(BUILD) --release
	@LATCHKEY_RELEASE_BINARY="$(RELEASE)" cargo test --locked $(if $(FEATURES),--features "$(FEATURES)") \
		--test service -- --ignored --nocapture --test-threads 1 --skip short storm:: kills::

check: doc ## formatting, clippy and the documentation of the code, with warnings denied
	@cargo fmt --check
	@cargo clippy --locked --all-targets -- -D warnings

doc: ## the documentation of the code, private items too, with warnings denied
	@RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --locked

deny: ## licences, advisories and sources of every crate, with cargo-deny
	@command -v cargo-deny >/dev/null || { echo "deny: install it with: cargo install --locked cargo-deny" >&2; exit 1; }
	@cargo deny check

dist: ## target/dist/latchkey, for packages: needs nothing but libc and libgcc beside it
	@FEATURES=bundled script/setup build
	@cargo build --profile dist --locked --features bundled

admin-token: ## print the token of the first admin
	@cat "$(DATA_DIR)/admin-token"
