#!/bin/sh
# Stops k3ts and every container it started, and takes back what it changed: mounts, network
# devices, iptables rules. Keeps data and configuration; start again with install.sh.
set -u
[ "$(id -u)" = 0 ] || {
  echo "k3ts-killall.sh: run it as root" >&2
  exit 1
}
PATH="$PATH:/usr/sbin:/sbin"
self=$(readlink -f "$0")
root=$(cd "$(dirname "$self")/../.." && pwd)
. "$root/scripts/service/functions.sh"
data_dir=${K3S_DATA_DIR:-/var/lib/rancher/k3s}

for name in $(service_names); do stop_service "$name"; done

# Children of a process, deepest first.
tree() {
  for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do tree "$child"; done
  echo "$1"
}
# Processes by the start of their command line, from /proc: pkill may be missing.
running() {
  for file in /proc/[0-9]*/cmdline; do
    line=$(tr '\0' ' ' <"$file" 2>/dev/null) || continue
    case "$line" in $1) pid=${file#/proc/} && echo "${pid%/cmdline}" ;; esac
  done
}
kill_trees() {
  for pid in $1; do
    for member in $(tree "$pid"); do kill -KILL "$member" 2>/dev/null || true; done
  done
}
# A server or agent started by hand, then containerd with our config, then its shims.
kill_trees "$(running 'k3ts server*')"
kill_trees "$(running 'k3ts agent*')"
kill_trees "$(running "*containerd*-c $data_dir/agent/*")"
kill_trees "$(running '*containerd-shim*-address /run/k3s/containerd/*')"

# unmount_under PATH: all mounts at or below it, the deepest first.
unmount_under() {
  awk -v at="$1" '$5 == at || index($5, at "/") == 1 { print $5 }' /proc/self/mountinfo | sort -r |
    while read -r target; do umount -l "$(printf '%b' "$target")" 2>/dev/null || true; done
}
unmount_under /run/k3s
unmount_under "$data_dir"
unmount_under /var/lib/kubelet
for netns in /run/netns/cni-*; do
  [ -e "$netns" ] || continue
  ip netns delete "${netns##*/}" 2>/dev/null || true
done
ip -o link show 2>/dev/null | awk -F': ' '/ master cni0 /{ sub(/@.*/, "", $2); print $2 }' |
  while read -r link; do ip link delete "$link" 2>/dev/null || true; done
for link in cni0 flannel.1 flannel-v6.1 kube-ipvs0 flannel-wg flannel-wg-v6; do
  ip link delete "$link" 2>/dev/null || true
done
rm -rf --one-file-system /run/k3s /var/lib/cni /run/flannel

for family in iptables ip6tables; do
  command -v "$family-save" >/dev/null 2>&1 || continue
  "$family-save" 2>/dev/null | grep -q -E 'KUBE-|CNI-|flannel|FLANNEL' || continue
  "$family-save" 2>/dev/null | grep -v -E 'KUBE-|CNI-|flannel|FLANNEL' | "$family-restore" || true
done
# Pod cgroups that a killed kubelet could not remove.
find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -exec rmdir {} + 2>/dev/null || true
echo "k3ts and its containers are stopped"
