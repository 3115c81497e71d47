# Tenantry. `make` alone lists what there is to do; the build itself is Meson's (meson.build).

PORT   ?= 3000
PREFIX ?= /usr/local
MESON  := /usr/bin/meson
NINJA  := /usr/bin/ninja

.DEFAULT_GOAL := help
.PHONY: help run build test unit e2e asan tsan fuzz bench lint format install clean

help: ## list what there is to do
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## install what is missing, build, and run it all at http://localhost:3000 (PORT=, TENANTRY_STATE=)
	@scripts/packages run
	@$(MAKE) --no-print-directory build
	@TENANTRY_STATE=$${TENANTRY_STATE:-var} TENANTRY_PORT=$(PORT) exec build/tenantry run --demo

build: ## build the command, the daemon, the example and nginx's module into build/
	@test -f build/build.ninja || $(MESON) setup build
	@$(NINJA) -C build
	@scripts/build-edge build

test: ## install what is missing and run every test; ends with a line of totals
	@scripts/packages test
	@scripts/test

unit: ## only the unit tests (under ASan and UBSan)
	@scripts/test unit

e2e: ## only the end-to-end tests: real nginx, real daemon
	@scripts/test e2e

asan: ## unit tests and fuzz seeds under AddressSanitizer and UBSan
	@scripts/test unit fuzz

tsan: ## the concurrent unit tests under ThreadSanitizer
	@scripts/test tsan

fuzz: ## fuzz for a while with libFuzzer (SECONDS_EACH=60)
	@scripts/packages fuzz
	@scripts/fuzz

bench: ## measure the directory and the edge
	@scripts/packages bench
	@bench/run

lint: ## layers, format, headers
	@scripts/test lint

format: ## bring the sources into their form with clang-format-14
	@scripts/check-format --fix

install: build ## install below PREFIX (and DESTDIR)
	@$(MESON) configure build -Dprefix=$(PREFIX)
	@DESTDIR=$(DESTDIR) $(MESON) install -C build
	@install -D -m 644 build/ngx_http_tenantry_module.so \
		$(DESTDIR)/usr/lib/nginx/modules/ngx_http_tenantry_module.so

clean: ## remove what was built; var/ stays
	rm -rf build build-*/
