check: ## install what the tests need, build everything, run all tests
	@scripts/deps.sh tests
.PHONY: check
