#!/bin/sh
# Installs the Debian packages that a k3ts node needs, when they are missing. Needs root.
# With `test` as argument also what the tests need. Safe to run again; says nothing when all is there.
set -eu
PATH="$PATH:/usr/sbin:/sbin"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

missing=""
need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
find_missing() {
  missing=""
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
  need npm npm
  # The package conflicts with a kubectl from elsewhere, which does as well.
  need kubectl kubernetes-client
  [ -x /usr/lib/cni/bridge ] || [ -x /opt/cni/bin/bridge ] ||
    missing="$missing containernetworking-plugins"
  [ "$1" = test ] || return 0
  need busybox busybox-static
  need curl curl
  need ps procps
  need etcd etcd-server
  need etcdctl etcd-client
  /usr/bin/python3 -c 'import kubernetes' >/dev/null 2>&1 || missing="$missing python3-kubernetes"
}
fail() {
  echo "k3ts: $*" >&2
  exit 1
}

# Debian's kubectl is a client of the API tests, too. Its package conflicts with a kubectl from
# elsewhere, so it is unpacked beside it, not installed.
debian_kubectl=/var/cache/k3ts/debian-kubectl
fetch_debian_kubectl() {
  [ "${1:-}" = test ] && [ ! -x "$debian_kubectl" ] || return 0
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 0
  mkdir -p "${debian_kubectl%/*}"
  unpacked=$(mktemp -d)
  (
    cd "$unpacked"
    apt download kubernetes-client || { apt update && apt download kubernetes-client; }
    dpkg-deb -x kubernetes-client_*.deb . && mv usr/bin/kubectl "$debian_kubectl"
  ) || echo "k3ts: Debian's kubectl cannot be fetched, see apt-get download kubernetes-client" >&2
  rm -rf "$unpacked"
}

apt() { # apt ARGUMENT...: waits for another apt that holds the lock
  DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1 </dev/null
}

fetch_debian_kubectl "${1:-}"
find_missing "${1:-}"
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null 2>&1 ||
  fail "these are missing, and there is no apt-get to install them:$missing"
[ "$(id -u)" = 0 ] || fail "these packages are missing, and only root can install them:$missing"
echo "k3ts: installing Debian packages:$missing" >&2

# Old lists are better than none: only what cannot be installed counts.
apt update || echo "k3ts: apt-get update failed, going on with the lists that are here" >&2
# shellcheck disable=SC2086 # the list is words on purpose
if ! apt install -y --no-install-recommends $missing; then
  tail -n 20 "$log" >&2
  for package in $missing; do
    [ -n "$(apt-cache madison "$package" 2>/dev/null)" ] ||
      echo "k3ts: this system's repositories have no package $package; install it by hand" >&2
  done
  fail "apt-get could not install:$missing"
fi
find_missing "${1:-}"
[ -z "$missing" ] || fail "still missing after installing their packages:$missing"
