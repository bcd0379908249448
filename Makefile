# make help    these lines
# make demo    a private PostgreSQL with the extension, a real Odoo with a year of a shop's sales, a first sync, a page of charts
# make test    everything that CI checks; ODOO=fake leaves out the live tests, PG=system the short ones on PostgreSQL 16 to 18
# make test-postgres PG=18   all tests that need no real Odoo, on another release of PostgreSQL; 17 needs root
# make test-scale   the tests of a sync with facts in partitions; facts as hypertables of TimescaleDB, on the PostgreSQL 18 of Debian's sid,
#              which needs root
# make test-protocols   the tests again, over JSON-RPC, over JSON-2 and over the web client's protocol
# make test-settings    those of a sync and of foreign tables again, in sessions with hostile settings
# make test-odoo14   all tests against a real Odoo 14, of which make test has the short ones; needs root
# make test-convergence SECONDS=60 ROUNDS=60 SEED=7   writers, faults and kills against the jobs, for longer
# make fuzz SECONDS=30   what reads answers and domains, with invented ones, for so long each
# make bench   the table of docs/performance.md; B=load does one of its rows alone, LINES=100000 fewer lines;
#              B=scale LINES=100000000 [PARTITIONED=5000000] a large shop, which takes hours and 60 GB in the folder of TMPDIR
# make dashboards   imports dashboards/superset into a Superset (825 MB), over the demo's warehouse, and looks at it with a browser
# make clean   removes what the others made here; the cache of downloads stays
# make         builds the extension for the PostgreSQL of PG_CONFIG=pg_config; make install puts it there
# make package a Debian package for that PostgreSQL; make packages those of all releases; both under target/packages
# make dist    the sources as PGXN takes them, under target/packages too
# make release all of them with their SHA256SUMS, once everything agrees on the version: docs/releasing.md

PG_CONFIG ?= pg_config
PYTHON ?= /usr/bin/python3
ODOO ?= real
# The releases of PostgreSQL that are tested besides, in short.
PG ?= 16 17 18
PGRX_VERSION := 0.18.1
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
# The release of PostgreSQL that it is built for: that of PG_CONFIG, else Debian 12's.
MAJOR := $(or $(shell $(PG_CONFIG) --version 2>/dev/null | sed -nE 's/^PostgreSQL ([0-9]+).*/\1/p'),15)
# None of those of PostgreSQL for one that PG_CONFIG names: it is there.
PACKAGES := $(if $(filter pg_config,$(PG_CONFIG)),postgresql-$(MAJOR) postgresql-server-dev-$(MAJOR) postgresql-$(MAJOR)-cron) \
            libclang-dev clang pkg-config gcc openssl python3 python3-venv sudo debootstrap pgbouncer
BENCH_PACKAGES := valgrind
SCALE_PACKAGES := $(if $(filter pg_config,$(PG_CONFIG)),postgresql-$(MAJOR)-partman)
PACKAGE_PACKAGES := dpkg-dev lintian
FUZZ_PACKAGES := g++
# The fonts are those of which a page's text may be.
BROWSER_PACKAGES := chromium fonts-dejavu-core fonts-noto-color-emoji
# The tests that say how rows come into tables.
OF_A_SYNC := test_in_step or test_deleted or test_job or test_history or test_mirror or test_till or test_money or test_invoices \
             or test_values or test_versions or test_refused or test_reports
FUZZ_TARGETS := xmlrpc json domain

# pgrx finds PostgreSQL by it, and so needs no folder of its own.
export PGRX_PG_CONFIG_PATH = $(shell command -v $(PG_CONFIG))
# With it, cargo-pgrx builds with other flags than cargo test, and everything twice.
export CARGO_PGRX_DISABLE_GC_SECTIONS_WORKAROUND := 1
# No path of the machine that built it is in what users install.
REMAPPED := $(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src=crates $(CURDIR)=.
all install lint unit package: export RUSTFLAGS += $(addprefix --remap-path-prefix=,$(REMAPPED))

VERSION := $(shell sed -n '/^version = /{s/[^"]*"//;s/"//p;q}' Cargo.toml)
CARGO_FEATURES = --no-default-features --features "pg$(MAJOR) $(FEATURES)"

# What users install lacks the setting odoo_etl.debug_without, by which tests switch safeguards off.
test test-postgres test-scale test-protocols test-settings test-odoo14 test-convergence: FEATURES := failpoints

.PHONY: all install package packages dist release release-check sums image deps lint unit bench fuzz fuzz-seeds \
        demo dashboards test test-postgres test-scale test-protocols test-settings test-odoo14 test-convergence clean distclean help

all:
	cargo build --release $(CARGO_FEATURES)

help:
	@sed -n '/^$$/q; s/^# //p' $(firstword $(MAKEFILE_LIST))

demo: deps install
	$(PYTHON) -m tests.lab demo

# Of the demo that runs, else of one that it starts.
dashboards: PACKAGES += $(BROWSER_PACKAGES)
dashboards: deps install
	$(PYTHON) -m tests.dashboards.superset

test: PACKAGES += $(FUZZ_PACKAGES) $(PACKAGE_PACKAGES) $(BROWSER_PACKAGES) $(SCALE_PACKAGES)
test: deps lint unit fuzz-seeds install package
	$(PYTHON) -m tests.lab test --odoo $(ODOO) --postgres "$(PG)" $(if $(K),-k '$(K)')

# Some of them upgrade from the system's.
test-postgres: deps install
	$(PYTHON) -m tests.lab test-postgres $(PG) $(if $(K),-k '$(K)')

test-scale: deps install
	FACTS=partitioned $(PYTHON) -m tests.lab test --odoo fake -k '$(or $(K),$(OF_A_SYNC))'
	$(PYTHON) -m tests.lab test-scale $(if $(K),-k '$(K)')

test-protocols: deps install
	PROTOCOL=jsonrpc $(PYTHON) -m tests.lab test --odoo $(ODOO) $(if $(K),-k '$(K)')
	PROTOCOL=json2 $(PYTHON) -m tests.lab test --odoo $(ODOO) $(if $(K),-k '$(K)')
	PROTOCOL=web $(PYTHON) -m tests.lab test --odoo $(ODOO) $(if $(K),-k '$(K)')

test-settings: deps install
	SETTINGS=hostile $(PYTHON) -m tests.lab test --odoo fake -k 'test_in_step or test_versions or test_mirror or test_fdw'

test-odoo14: deps install
	$(PYTHON) -m tests.lab test --odoo 14 $(if $(K),-k '$(K)')

# SECONDS against a real Odoo, ROUNDS against the fake one.
test-convergence: deps install
	SECONDS=$(or $(SECONDS),60) ROUNDS=$(or $(ROUNDS),60) SEED=$(SEED) $(PYTHON) -m tests.lab test -k test_convergence --show

bench: PACKAGES += $(BENCH_PACKAGES)
bench: deps install
	$(PYTHON) -m tests.bench $(B) $(if $(LINES),--lines $(LINES)) $(if $(PARTITIONED),--partitioned $(PARTITIONED))

# What it finds, and what it has learnt, stays under target; ours to keep are the seeds.
fuzz: PACKAGES += $(FUZZ_PACKAGES)
fuzz: deps
	cd fuzz && cargo build --locked --release
	$(foreach target,$(FUZZ_TARGETS),$(call fuzz,$(target),release,-max_total_time=$(or $(SECONDS),30) -timeout=10))

# That the targets build, and take their seeds: without optimisation, which is faster in all.
fuzz-seeds:
	cd fuzz && cargo build --locked
	$(foreach target,$(FUZZ_TARGETS),$(call fuzz,$(target),debug,-runs=0))

# A line for each: cargo names the folder after the machine.
define fuzz
	mkdir -p target/fuzz/corpus/$(1) target/fuzz/found
	target/fuzz/*/$(2)/$(1) $(3) -artifact_prefix=target/fuzz/found/$(1)- target/fuzz/corpus/$(1) fuzz/corpus/$(1)

endef

lint:
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo clippy --release --all-targets --no-default-features --features pg$(MAJOR) -- -D warnings
	cargo clippy --release --all-targets --no-default-features --features "pg$(MAJOR) failpoints" -- -D warnings

unit:
	cargo test --release $(CARGO_FEATURES)

install:
	cargo pgrx install --release $(CARGO_FEATURES) --pg-config "$(PGRX_PG_CONFIG_PATH)" $(if $(SUDO),--sudo)
	$(SUDO) install -m 644 sql/odoo_etl--0.1.0.sql "$$($(PG_CONFIG) --sharedir)/extension"

package packages: PACKAGES += $(PACKAGE_PACKAGES)
package: FEATURES :=
package: deps
	rm -rf target/package/pg$(MAJOR)
	cargo pgrx package $(CARGO_FEATURES) --pg-config "$(PGRX_PG_CONFIG_PATH)" --out-dir target/package/pg$(MAJOR)
	$(PYTHON) packaging/deb.py $(MAJOR) target/package/pg$(MAJOR) target/packages

# Each is tested in a clean root.
packages release: PG = 15 16 17 18
packages: deps
	$(PYTHON) -m tests.lab packages $(PG)

# With the upgrade script that build.rs makes of its template.
dist: all
	mkdir -p target/packages
	git archive --format zip --output target/packages/odoo_etl-$(VERSION).zip \
	    --prefix odoo_etl-$(VERSION)/sql/ $(addprefix --add-file=,$(shell git ls-files --others --ignored --exclude-standard sql)) \
	    --prefix odoo_etl-$(VERSION)/ HEAD

release: release-check packages dist sums

# That changelog, upgrade scripts, META.json and README agree on the version.
release-check:
	$(PYTHON) packaging/check.py --released

sums:
	cd target/packages && sha256sum odoo_etl-$(VERSION).zip *_$(VERSION)_*.deb > SHA256SUMS

image:
	docker build --build-arg PG=$(MAJOR) --tag odoo_etl:$(VERSION)-pg$(MAJOR) --file packaging/Dockerfile target/packages

deps:
	@missing=$$(for package in $(PACKAGES); do \
	    dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q '^install ok installed$$' \
	        || echo $$package; done); \
	if [ -n "$$missing" ]; then \
	    echo "» installing" $$missing; \
	    $(SUDO) apt-get update -qq && \
	    $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi
	@if [ "$$(cargo pgrx --version 2>/dev/null)" != "cargo-pgrx $(PGRX_VERSION)" ]; then \
	    echo "» installing cargo-pgrx $(PGRX_VERSION) (4 to 13 minutes, once)"; \
	    cargo install --locked cargo-pgrx --version $(PGRX_VERSION); \
	fi

clean:
	$(PYTHON) -m tests.lab clean
	cargo clean

# The downloads and Odoo's initialised database too.
distclean: clean
	$(PYTHON) -m tests.lab forget
