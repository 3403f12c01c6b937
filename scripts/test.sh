#!/bin/sh
# Runs every check: format, lint, types, tidy, unit tests, API tests, node tests. All steps run also
# when one fails; the exit code and a last line tell.
#   npm test                 all of them
#   npm test -- lint unit    only these steps: lint types tidy unit api node
# Node tests need root; they run in network and mount namespaces of their own.
set -eu
cd "$(dirname "$0")/.."
steps="${*:-lint types tidy unit api node}"
for step in $steps; do
  case "$step" in
  lint | types | tidy | unit | api | node) ;;
  *)
    echo "unknown step \"$step\": lint, types, tidy, unit, api or node expected" >&2
    exit 2
    ;;
  esac
done

case "$steps" in
*unit* | *api* | *node*) [ "$(id -u)" != 0 ] || sh scripts/install-packages.sh test ;;
esac
sh scripts/install-dependencies.sh
PATH="$PWD/node_modules/.bin:/usr/sbin:/sbin:$PATH"
export PATH

failed=""
run() { # run TITLE COMMAND...
  title=$1
  shift
  echo "== $title" >&2
  "$@" || failed="$failed, $title"
}
# run_tests TITLE "FOLDER..." OPTION...: one file after the other, as all share two processors
run_tests() {
  title=$1 folders=$2
  shift 2
  # shellcheck disable=SC2046,SC2086 # words on purpose
  set -- "$@" $(find $folders -name '*.test.ts' | sort)
  run "$title" node --disable-warning=ExperimentalWarning --test --test-concurrency=1 "$@"
}
# What keeps node tests from running here, if anything; found out by trying.
node_problem() {
  if [ "$(id -u)" != 0 ]; then
    echo "they need root (sudo npm test)"
    return
  fi
  node --disable-warning=ExperimentalWarning --input-type=module -e '
    const { createLab, labProblem } = await import("./test/harness/mod.ts");
    let problem = (await labProblem()) || "";
    if (problem === "") {
      try {
        const lab = await createLab();
        await lab.addMachine().finally(() => lab.close());
      } catch (error) {
        problem = "a machine of namespaces cannot be made: " + error.message;
      }
    }
    console.log(problem);' 2>&1
}

for step in $steps; do
  case "$step" in
  lint)
    run format oxfmt --check src scripts test bench examples
    run lint oxlint --type-aware src scripts test bench examples
    ;;
  types) run types tsc -p . ;;
  tidy) run_tests tidy scripts --test-timeout=60000 ;;
  # In one process: starting Node anew for each file takes three times as long as the tests.
  # What a failed test leaves open must not keep it from ending.
  unit) run_tests "unit tests" src --test-isolation=none --test-force-exit --test-timeout=120000 ;;
  api) run_tests "API tests" "test/api test/store test/fixtures" --test-force-exit --test-timeout=300000 ;;
  node)
    problem=$(node_problem)
    if [ -z "$problem" ]; then
      run_tests "node tests" "test/harness test/node test/cluster" --test-timeout=300000
    elif [ -n "${CI:-}" ]; then
      echo "== node tests cannot run: $problem" >&2
      failed="$failed, node tests"
    else
      echo "== node tests SKIPPED: $problem" >&2
    fi
    ;;
  esac
done
if [ -n "$failed" ]; then
  echo "FAILED: ${failed#, }" >&2
  exit 1
fi
