#!/bin/sh
# Installs the Debian packages that a k3ts node needs, when they are missing. Needs root.
# With `test` as argument also what the tests need. Safe to run again; says nothing when all is there.
set -eu

missing=""
need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
PATH="$PATH:/usr/sbin:/sbin"
need containerd containerd
need runc runc
need iptables iptables
need nft nftables
need conntrack conntrack
need ip iproute2
need ethtool ethtool
need mount mount
need nsenter util-linux
need modprobe kmod
need kubectl kubernetes-client
need npm npm
[ -x /usr/lib/cni/bridge ] || [ -x /opt/cni/bin/bridge ] || missing="$missing containernetworking-plugins"
if [ "${1:-}" = test ]; then
  need busybox busybox-static
  need curl curl
  need ps procps
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "k3ts: these are missing, and there is no apt-get to install them:$missing" >&2
  exit 1
fi
echo "k3ts: installing Debian packages:$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # the list is words on purpose
if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "k3ts: apt-get could not install:$missing" >&2
  exit 1
fi
