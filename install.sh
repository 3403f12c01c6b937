#!/bin/sh
# Installs k3ts from this checkout and starts it: Debian packages, npm dependencies, k3ts on PATH,
# a service, and waits until the node is Ready. Safe to run again.
#
#   sudo ./install.sh                     a server with its node
#   sudo ./install.sh --disable traefik   arguments go to "k3ts server"
#   K3S_URL=https://host:6443 K3S_TOKEN=... sudo -E ./install.sh   a node of another server
#
# Environment, as k3s' installer reads it: INSTALL_K3S_EXEC, INSTALL_K3S_NAME,
# INSTALL_K3S_SKIP_ENABLE, INSTALL_K3S_SKIP_START, INSTALL_K3S_BIN_DIR, K3S_*, *_PROXY.
set -eu

root=$(cd "$(dirname "$0")" && pwd)
bin_dir=${INSTALL_K3S_BIN_DIR:-/usr/local/bin}
state_dir=/etc/rancher/k3s

say() { printf '[k3ts] %s\n' "$*"; }
fail() {
  printf '[k3ts] %s\n' "$*" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail "run it as root: sudo ./install.sh"
[ "$(uname -s)" = Linux ] || fail "k3ts runs on Linux only"
case "$(uname -m)" in
x86_64 | aarch64) ;;
*) fail "k3ts runs on x86_64 and aarch64, this is $(uname -m)" ;;
esac

# What to run: the words of INSTALL_K3S_EXEC and of the command line; a flag first means the
# command is left to K3S_URL, as in k3s' installer.
set -- ${INSTALL_K3S_EXEC:-} "$@"
case "${1:-}" in
server | agent)
  command_name=$1
  shift
  ;;
*) if [ -n "${K3S_URL:-}" ]; then command_name=agent; else command_name=server; fi ;;
esac
name=${INSTALL_K3S_NAME:-}
if [ -n "$name" ]; then name=k3ts-$name
elif [ "$command_name" = agent ]; then name=k3ts-agent
else name=k3ts; fi

say "checking Debian packages"
sh "$root/scripts/install-packages.sh"
if [ ! -x "$root/node_modules/.bin/node" ] || [ "$root/package-lock.json" -nt "$root/node_modules/.package-lock.json" ]; then
  say "installing npm dependencies (about a minute at the first time)"
  (cd "$root" && npm ci --strict-allow-scripts --silent) || fail "npm ci failed; see above"
fi

say "putting k3ts into $bin_dir"
mkdir -p "$bin_dir" "$state_dir"
ln -sf "$root/bin/k3ts" "$bin_dir/k3ts"
for tool in crictl ctr; do
  command -v "$tool" >/dev/null 2>&1 || ln -sf "$root/bin/k3ts" "$bin_dir/$tool"
done
ln -sf "$root/scripts/service/killall.sh" "$bin_dir/k3ts-killall.sh"
ln -sf "$root/scripts/service/uninstall.sh" "$bin_dir/k3ts-uninstall.sh"

# The environment may hold tokens: root only.
env_file=$state_dir/$name.env
(umask 077 && env | grep -E '^(K3S_|CONTAINERD_|(NO|HTTP|HTTPS|ALL)_PROXY=|(no|http|https|all)_proxy=)' >"$env_file" || true)

. "$root/scripts/service/functions.sh"
arguments=""
for word in "$@"; do
  arguments="$arguments '$(printf '%s' "$word" | sed "s/'/'\\\\''/g")'"
done
write_service "$name" "$command_name" "$arguments" "$env_file"

if [ "${INSTALL_K3S_SKIP_START:-false}" = true ]; then
  say "not started, as INSTALL_K3S_SKIP_START says"
  exit 0
fi
say "starting $name ($(service_kind))"
start_service "$name"
if [ "$command_name" = agent ]; then
  say "the agent runs; see its node with kubectl on the server, its log with: $(log_hint "$name")"
  exit 0
fi

kubeconfig=${K3S_KUBECONFIG_OUTPUT:-$state_dir/k3s.yaml}
waited=0
last=""
while :; do
  state=$(kubectl --kubeconfig "$kubeconfig" --request-timeout=5s get nodes --no-headers 2>&1 | tail -n 1) || true
  case "$state" in *" Ready "*) break ;; esac
  case "$state" in
  *NotReady*) now="node registered, starting its parts" ;;
  *"No resources"*) now="API answers, waiting for the node" ;;
  *) now="waiting for the API" ;;
  esac
  [ "$now" = "$last" ] || say "$now"
  last=$now
  waited=$((waited + 1))
  if [ "$waited" -ge 240 ]; then
    recent_log "$name" >&2
    fail "the node is not Ready after two minutes; the log is above, more with: $(log_hint "$name")"
  fi
  sleep 0.5
done
say "the node is Ready"
kubectl --kubeconfig "$kubeconfig" get nodes
cat <<TEXT

  k3ts kubectl get pods -A            look around (or: export KUBECONFIG=$kubeconfig)
  k3ts kubectl create deployment ...  run something
  $(log_hint "$name")
  k3ts-killall.sh                     stop k3ts and all containers
  k3ts-uninstall.sh                   remove everything
TEXT
