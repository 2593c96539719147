# The only door for people and CI. `make help` lists what is behind it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

WASM_TARGET := wasm32-wasip2
WASM_OUT := target/$(WASM_TARGET)/plugin
PLUGINS := ldap realm wazo_user
EXAMPLES := hello_backend
GUESTS := hostile wants_expose forbidden_import wrong_world future_world
# What `make run` and the tests load plugins from.
STAGE := target/plugins

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: run
run: plugins ## Build everything and serve the demo on https://localhost:9497
	cargo build -p keyway
	target/debug/keyway demo --plugins $(STAGE)

.PHONY: test
test: wasm-target postgresql mariadb rabbitmq slapd privacyidea kazoo-sdk chromium curl-jq plugins guests ## Run every test, real peers included
	cargo build -p keyway
	cargo test --workspace $(GUESTS:%=--exclude %) --exclude keyway-bench

.PHONY: check
check: ## What CI runs: format, lints, every test
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	$(MAKE) fuzz
	$(MAKE) test

# libFuzzer on a stable compiler: what `cargo fuzz` passes, without the sanitizers. These flags would rebuild everything else, so the targets have a
# folder of their own; naming the host's target keeps the flags away from build scripts.
FUZZ_FLAGS := -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
FUZZ_RUNS := 50000

.PHONY: fuzz
fuzz: cxx ## Feed mutated input to what parses a stranger's bytes: a fixed number of cases
	RUSTFLAGS="$(FUZZ_FLAGS)" cargo build --release --locked --manifest-path plugins/ldap/fuzz/Cargo.toml \
	    --target "$$(rustc --print host-tuple)" --target-dir target/fuzz
	@for name in login template; do \
	    rm -rf target/fuzz/corpus/$$name && mkdir -p target/fuzz/corpus/$$name && \
	    "target/fuzz/$$(rustc --print host-tuple)/release/$$name" -runs=$(FUZZ_RUNS) -seed=1 -max_len=2048 -timeout=10 \
	        -artifact_prefix=target/fuzz/$$name- target/fuzz/corpus/$$name plugins/ldap/fuzz/seeds/$$name \
	        > target/fuzz/$$name.log 2>&1 && echo "$$name: $$(tail -1 target/fuzz/$$name.log)" || \
	        { tail -40 target/fuzz/$$name.log; exit 1; }; \
	done

.PHONY: plugins
plugins: wasm-target ## Build the plugins and the example backends into target/plugins
	cargo build --profile plugin --target $(WASM_TARGET) $(PLUGINS:%=-p %) $(EXAMPLES:%=-p %)
	@mkdir -p $(STAGE)
	@# Copied under another name and renamed, because a running demo watches this folder.
	@for name in $(PLUGINS) $(EXAMPLES); do \
	    cmp -s $(WASM_OUT)/$$name.wasm $(STAGE)/$$name.wasm || \
	    { cp $(WASM_OUT)/$$name.wasm $(STAGE)/.$$name.new && mv $(STAGE)/.$$name.new $(STAGE)/$$name.wasm; }; \
	done

.PHONY: guests
guests: wasm-target ## Build the badly behaved plugins that the isolation tests load
	cargo build --profile plugin --target $(WASM_TARGET) $(GUESTS:%=-p %)

.PHONY: bench
bench: plugins guests wrk slapd ## Measure against the yardsticks, print ratios, write target/bench.txt
	cargo build --release -p keyway
	cargo run --release -p keyway-bench

.PHONY: dist
dist: plugins ## Leave the release binary and the plugins in dist/
	cargo build --release -p keyway
	@mkdir -p dist/bin dist/plugins dist/examples
	install -m 755 target/release/keyway dist/bin/keyway
	for name in $(PLUGINS); do install -m 644 $(WASM_OUT)/$$name.wasm dist/plugins/$$name.wasm; done
	for name in $(EXAMPLES); do install -m 644 $(WASM_OUT)/$$name.wasm dist/examples/$$name.wasm; done

.PHONY: audit
audit: ## Check advisories, licences and sources of all dependencies
	@command -v cargo-deny >/dev/null || { echo "cargo-deny is missing: cargo install --locked cargo-deny"; exit 1; }
	cargo deny check

.PHONY: fmt
fmt: ## Format the code
	cargo fmt --all

.PHONY: clean
clean: ## Remove what was built
	cargo clean
	rm -rf dist

# What a fresh machine lacks.

.PHONY: wasm-target
wasm-target:
	@ls "$$(rustc --print sysroot)/lib/rustlib/$(WASM_TARGET)" >/dev/null 2>&1 || { \
	    command -v rustup >/dev/null || { echo "install the Rust standard library for $(WASM_TARGET)"; exit 1; }; \
	    rustup target add $(WASM_TARGET); }

.PHONY: postgresql
postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { \
	    command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { echo "install PostgreSQL's server programs (Debian: apt-get install postgresql)"; exit 1; }; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; }

.PHONY: mariadb
mariadb:
	@ls /usr/sbin/mariadbd /usr/bin/mariadb-install-db >/dev/null 2>&1 || { \
	    command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { echo "install MariaDB (Debian: apt-get install mariadb-server)"; exit 1; }; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mariadb-server; }

.PHONY: rabbitmq
rabbitmq:
	@ls /usr/lib/rabbitmq/bin/rabbitmq-server >/dev/null 2>&1 || { \
	    command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { echo "install RabbitMQ (Debian: apt-get install rabbitmq-server)"; exit 1; }; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends rabbitmq-server; }

# The program itself, as the tests of its import run it: in an environment of its own.
PRIVACYIDEA := target/privacyidea

.PHONY: privacyidea
privacyidea:
	@[ -x $(PRIVACYIDEA)/bin/pi-manage ] || { \
	    python3 -c 'import ensurepip, venv' 2>/dev/null || { \
	        command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { echo "install Python 3.10 or later with venv (Debian: apt-get install python3-venv)"; exit 1; }; \
	        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; } && \
	    python3 -m venv --clear $(PRIVACYIDEA) && \
	    $(PRIVACYIDEA)/bin/pip install -q --disable-pip-version-check privacyidea==3.14 psycopg2-binary || { rm -rf $(PRIVACYIDEA); exit 1; }; }

# Kazoo's client for Python, as the tests of that API run it: in an environment of its own.
KAZOO_SDK := target/kazoo-sdk

.PHONY: kazoo-sdk
kazoo-sdk:
	@$(KAZOO_SDK)/bin/python3 -c 'import kazoo; assert kazoo.VERSION == "0.2.4"' 2>/dev/null || { \
	    python3 -c 'import ensurepip, venv' 2>/dev/null || { \
	        command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { echo "install Python 3 with venv (Debian: apt-get install python3-venv)"; exit 1; }; \
	        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; } && \
	    python3 -m venv --clear $(KAZOO_SDK) && \
	    $(KAZOO_SDK)/bin/pip install -q --disable-pip-version-check kazoo-sdk==0.2.4 requests==2.34.2 six==1.17.0 || { rm -rf $(KAZOO_SDK); exit 1; }; }

# A page of another origin is shown in it, with jQuery, which is how Kazoo's pages ask.
.PHONY: chromium
chromium:
	@ls /usr/bin/chromium /usr/share/javascript/jquery/jquery.min.js >/dev/null 2>&1 || { \
	    command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { echo "install Chromium and jQuery (Debian: apt-get install chromium libjs-jquery)"; exit 1; }; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium libjs-jquery; }

.PHONY: curl-jq
curl-jq:
	@command -v curl >/dev/null && command -v jq >/dev/null || { \
	    command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { echo "install curl and jq (Debian: apt-get install curl jq)"; exit 1; }; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends curl jq; }

# libFuzzer is C++.
.PHONY: cxx
cxx:
	@command -v c++ >/dev/null || { \
	    command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { echo "install a C++ compiler (Debian: apt-get install g++)"; exit 1; }; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends g++; }

.PHONY: slapd
slapd:
	@# Only its programs: told to configure nothing, the package starts no service of its own.
	@ls /usr/sbin/slapd /usr/lib/ldap/ppolicy.so /etc/ldap/schema/inetorgperson.ldif >/dev/null 2>&1 && command -v ldapsearch >/dev/null || { \
	    command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { echo "install OpenLDAP (Debian: apt-get install slapd ldap-utils)"; exit 1; }; \
	    echo "slapd slapd/no_configuration boolean true" | debconf-set-selections; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slapd ldap-utils; }

.PHONY: wrk
wrk:
	@command -v wrk >/dev/null || { \
	    command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { echo "install wrk (Debian: apt-get install wrk)"; exit 1; }; \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends wrk; }
