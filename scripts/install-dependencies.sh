#!/bin/sh
# Installs the npm dependencies, the pinned Node among them, when they are missing or older than
# package-lock.json. Says nothing when all is there.
set -eu
cd "$(dirname "$0")/.."
# npm writes this file last.
finished=node_modules/.package-lock.json
if [ -x node_modules/.bin/node ] && [ -f "$finished" ] &&
  [ -z "$(find package-lock.json -newer "$finished")" ]; then
  exit 0
fi
# npm would empty the folder that the link leads to, which belongs to another checkout.
if [ -L node_modules ]; then
  echo "k3ts: $PWD/node_modules is a link to dependencies that are older than package-lock.json" >&2
  exit 1
fi
if ! command -v npm >/dev/null 2>&1; then
  echo "k3ts: npm is needed to install the dependencies: apt-get install npm" >&2
  exit 1
fi
echo "k3ts: installing npm dependencies, about a minute" >&2
# No package needs its scripts, and npm before 11 does not read which ones package.json allows.
npm ci --ignore-scripts --no-progress --loglevel=error >&2 || {
  echo "k3ts: npm ci failed in $PWD, see above; a proxy is set with HTTPS_PROXY or in ~/.npmrc" >&2
  exit 1
}
sh scripts/postinstall.sh || {
  # Incomplete: the next run starts over.
  rm -f "$finished"
  exit 1
}
