#!/bin/sh
# Runs every check: format, lint, types, tidy, unit tests, API tests, node tests.
#   npm test                 all of them
#   npm test -- lint unit    only these steps: lint types tidy unit api node
# Node tests need root; they run in network and mount namespaces of their own.
set -eu
cd "$(dirname "$0")/.."
steps="${*:-lint types tidy unit api node}"

if [ "$(id -u)" = 0 ]; then
  sh scripts/install-packages.sh test
fi
if [ ! -x node_modules/.bin/node ] || [ ! -x node_modules/.bin/tsc ]; then
  echo "== dependencies" >&2
  npm ci --strict-allow-scripts
fi
PATH="$PWD/node_modules/.bin:/usr/sbin:/sbin:$PATH"
export PATH

run() { # run TITLE COMMAND...
  echo "== $1" >&2
  shift
  "$@"
}
files() { # files FOLDER...: their test files
  find "$@" -name '*.test.ts' -not -path '*/node_modules/*' 2>/dev/null | sort
}
node_test="node --disable-warning=ExperimentalWarning --test"

for step in $steps; do
  case "$step" in
  lint)
    run "format" oxfmt --check src scripts test bench
    run "lint" oxlint --type-aware src scripts test bench
    ;;
  types) run "types" tsc -p . ;;
  tidy) run "tidy" $node_test scripts/tidy.test.ts ;;
  # shellcheck disable=SC2046 # file names hold no spaces
  unit) run "unit tests" $node_test --test-timeout=120000 $(files src) ;;
  api) run "API tests" $node_test --test-concurrency=1 --test-timeout=600000 $(files test/api test/store) ;;
  node)
    if [ "$(id -u)" != 0 ]; then
      echo "== node tests SKIPPED: they need root (sudo npm test)" >&2
      [ -z "${CI:-}" ] || exit 1
      continue
    fi
    run "node tests" $node_test --test-concurrency=1 --test-timeout=900000 $(files test/node test/cluster)
    ;;
  *)
    echo "unknown step \"$step\": lint, types, tidy, unit, api or node expected" >&2
    exit 2
    ;;
  esac
done
