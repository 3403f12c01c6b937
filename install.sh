#!/bin/sh
# Installs k3ts from this checkout and starts it: Debian packages, npm dependencies, k3ts on PATH,
# a service, and waits until the node is Ready. Safe to run again: containers go on running.
#
#   sudo ./install.sh                     a server with its node
#   sudo ./install.sh --disable traefik   arguments go to "k3ts server"
#   sudo K3S_URL=https://host:6443 K3S_TOKEN=... ./install.sh   a node of another server
#
# Environment, as k3s' installer reads it: INSTALL_K3S_EXEC, INSTALL_K3S_NAME,
# INSTALL_K3S_SKIP_ENABLE, INSTALL_K3S_SKIP_START, INSTALL_K3S_BIN_DIR, K3S_*, *_PROXY.
set -eu
# Files are for all to read but where something else is said.
umask 022
PATH="$PATH:/usr/sbin:/sbin"
root=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
bin_dir=${INSTALL_K3S_BIN_DIR:-/usr/local/bin}
# What "k3ts settings" answers; read through eval.
# shellcheck disable=SC2034
data_dir="" kubeconfig="" node_name="" has_node="" has_node_id=""
# Longest wait for the node; a slow machine at its first start needs some of it.
wait_seconds=180
# shellcheck source=scripts/service/functions.sh
. "$root/scripts/service/functions.sh"

say() { printf '[k3ts] %s\n' "$*"; }
fail() {
  printf '[k3ts] %s\n' "$*" >&2
  exit 1
}

check_machine() {
  [ "$(uname -s)" = Linux ] || fail "k3ts runs on Linux only"
  case "$(uname -m)" in
  x86_64 | aarch64) ;;
  *) fail "k3ts runs on x86_64 and aarch64, this is $(uname -m)" ;;
  esac
  [ "$(id -u)" = 0 ] || fail "run it as root: sudo ./install.sh"
  [ -d /proc/self ] || fail "/proc is not mounted"
  for other in k3s k3s-agent; do
    if [ "$(service_kind)" = systemd ] && systemctl is-active --quiet "$other"; then
      fail "$other runs here and uses the same ports and directories: stop it first (systemctl disable --now $other)"
    fi
  done
}

# Links are made anew at each run; a file that is not ours stays.
link() { # link TARGET NAME
  if [ -e "$bin_dir/$2" ] && [ ! -L "$bin_dir/$2" ]; then
    fail "$bin_dir/$2 is there and no link of ours: move it away, or set INSTALL_K3S_BIN_DIR"
  fi
  ln -sfn "$1" "$bin_dir/$2"
}

put_links() {
  mkdir -p "$bin_dir" "$state_dir"
  link "$root/bin/k3ts" k3ts
  link "$root/scripts/service/killall.sh" k3ts-killall.sh
  link "$root/scripts/service/uninstall.sh" k3ts-uninstall.sh
  # The tools, and k3s' names for its guides: never in the way of others that are there.
  for tool in k3s crictl ctr; do link_free "$root/bin/k3ts" "$tool"; done
  link_free "$root/scripts/service/killall.sh" k3s-killall.sh
  for tool in k3s-uninstall.sh k3s-agent-uninstall.sh; do
    link_free "$root/scripts/service/uninstall.sh" "$tool"
  done
}

link_free() { # link_free TARGET NAME: only when no other program has the name
  case "$(readlink "$bin_dir/$2")" in */bin/k3ts | */scripts/service/*.sh) rm -f "$bin_dir/$2" ;; esac
  command -v "$2" >/dev/null 2>&1 || link "$1" "$2"
}

# node_state: one of "down", "none", "starting", "ready". The kubelet renews its lease when it
# starts, so a Ready from before this start does not count.
node_state() {
  if [ "$has_node" = no ]; then
    if ask get --raw /readyz >/dev/null 2>&1; then echo ready; else echo down; fi
    return
  fi
  node=$(own_node)
  is_ready='{.status.conditions[?(@.type=="Ready")].status}'
  answer=$(ask get node "$node" -o "jsonpath=$is_ready" 2>&1) || true
  case "$answer" in
  *NotFound*) echo none ;;
  True)
    renewed=$(ask -n kube-node-lease get lease "$node" -o 'jsonpath={.spec.renewTime}' 2>/dev/null) || true
    # Times of this form sort as text.
    first=$(printf '%s\n%s\n' "$started" "$renewed" | LC_ALL=C sort | head -n 1)
    if [ "$first" = "$started" ]; then echo ready; else echo starting; fi
    ;;
  "" | False | Unknown) echo starting ;;
  *) echo down ;;
  esac
}
own_node() {
  id=""
  [ "$has_node_id" = no ] || id=-$(cat /etc/rancher/node/id 2>/dev/null) || true
  echo "$node_name$id"
}
ask() { kubectl --kubeconfig "$kubeconfig" --request-timeout=5s "$@"; }

give_up() {
  echo "---- the last lines of its log:" >&2
  recent_log "$name" "$mark" >&2
  echo "----" >&2
  fail "$1; it is tried again every 5 seconds until k3ts-killall.sh; log: $(log_hint "$name")"
}

wait_until_ready() {
  deadline=$(($(date +%s) + wait_seconds))
  last=""
  while :; do
    state=$(node_state)
    case "$state" in
    ready) return ;;
    starting) now="node registered, starting its parts" ;;
    none) now="API answers, waiting for the node" ;;
    *) now="waiting for the API" ;;
    esac
    [ "$now" = "$last" ] || say "$now"
    last=$now
    ! has_failed "$name" || give_up "$name ended with an error"
    [ "$(date +%s)" -lt "$deadline" ] || give_up "no Ready node after $wait_seconds seconds ($now)"
    sleep 0.3
  done
}

check_machine

# What to run: the words of INSTALL_K3S_EXEC, quotes respected, and of the command line. A flag
# first leaves the command to K3S_URL, as in k3s' installer.
if [ -n "${INSTALL_K3S_EXEC:-}" ]; then
  words=$(printf '%s\n' "$INSTALL_K3S_EXEC" | xargs -n 1 printf '%s\n') ||
    fail "INSTALL_K3S_EXEC has a quote without its end: $INSTALL_K3S_EXEC"
  quoted=$(printf '%s\n' "$words" | while IFS= read -r word; do printf '%s ' "$(quote_sh "$word")"; done)
  eval "set -- $quoted \"\$@\""
fi
case "${1:-}" in
server | agent)
  command_name=$1
  shift
  ;;
"" | -*) if [ -n "${K3S_URL:-}" ]; then command_name=agent; else command_name=server; fi ;;
*) fail "unknown command \"$1\": server or agent expected" ;;
esac
if [ -n "${INSTALL_K3S_NAME:-}" ]; then
  name=k3ts-$INSTALL_K3S_NAME
elif [ "$command_name" = agent ]; then
  name=k3ts-agent
else
  name=k3ts
fi

say "checking Debian packages"
sh "$root/scripts/install-packages.sh" || fail "packages are missing, see above"
say "checking npm dependencies"
sh "$root/scripts/install-dependencies.sh" || fail "npm dependencies are missing, see above"

# Also checks the flags, before anything is changed.
settings=$("$root/bin/k3ts" settings "$command_name" "$@") || fail "these settings do not work, see above"
eval "$settings"

say "putting k3ts into $bin_dir"
put_links
{
  echo "# Written by k3ts' install.sh: where k3ts-killall.sh and k3ts-uninstall.sh look."
  for variable in bin_dir data_dir kubeconfig; do
    eval "value=\$$variable"
    echo "$variable=$(quote_sh "$value")"
  done
} >"$state_dir/$name.installed"
write_environment "$state_dir/$name.env"
write_service "$name" "$bin_dir/k3ts" "$state_dir/$name.env" "$command_name" "$@"

if [ "${INSTALL_K3S_SKIP_START:-false}" = true ]; then
  say "not started, as INSTALL_K3S_SKIP_START says"
  exit 0
fi
say "starting $name ($(service_kind))"
mark=$(log_mark "$name")
started=$(date -u +%Y-%m-%dT%H:%M:%S)
start_service "$name" || give_up "$name cannot be started"
wait_until_ready
if [ "$has_node" = no ]; then
  say "the API is ready"
else
  say "the node is Ready"
  # An agent may not list the others.
  if [ "$command_name" = agent ]; then ask get node "$(own_node)"; else ask get nodes; fi
fi
if [ "$(service_kind)" = background ]; then
  say "there is no systemd and no OpenRC: after a reboot run install.sh again"
fi
[ "$command_name" = server ] && cat <<TEXT

  k3ts kubectl get pods -A            look around (or: export KUBECONFIG=$kubeconfig)
  k3ts kubectl create deployment ...  run something
TEXT
cat <<TEXT
  $(log_hint "$name")
  k3ts-killall.sh                     stop k3ts and all containers
  k3ts-uninstall.sh                   remove everything
TEXT
