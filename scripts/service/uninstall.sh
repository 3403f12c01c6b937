#!/bin/sh
# Removes k3ts from this machine: services, containers, data, configuration, links. The checkout
# and the Debian packages stay.
set -u
[ "$(id -u)" = 0 ] || {
  echo "k3ts-uninstall.sh: run it as root" >&2
  exit 1
}
self=$(readlink -f "$0")
root=$(cd "$(dirname "$self")/../.." && pwd)
bin_dir=${INSTALL_K3S_BIN_DIR:-/usr/local/bin}
. "$root/scripts/service/functions.sh"
data_dir=${K3S_DATA_DIR:-/var/lib/rancher/k3s}

names=$(service_names)
sh "$root/scripts/service/killall.sh"
for name in $names; do remove_service "$name"; done
for tool in k3ts crictl ctr k3ts-killall.sh k3ts-uninstall.sh; do
  case "$(readlink "$bin_dir/$tool" 2>/dev/null)" in "$root"/*) rm -f "$bin_dir/$tool" ;; esac
done
rm -rf --one-file-system /etc/rancher/k3s /etc/rancher/node /run/k3s /run/flannel "$data_dir" /var/lib/kubelet \
  /var/log/pods /var/log/containers /var/cache/k3ts
rmdir /etc/rancher /var/lib/rancher 2>/dev/null || true
echo "k3ts is removed; the checkout stays in $root"
