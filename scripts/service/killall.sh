#!/bin/sh
# Stops k3ts and every container it started, and takes back what they changed: mounts, network
# devices, iptables rules, cgroups. Keeps data and configuration; start again with install.sh.
set -u
[ "$(id -u)" = 0 ] || {
  echo "k3ts-killall.sh: run it as root" >&2
  exit 1
}
PATH="$PATH:/usr/sbin:/sbin"
self=$(readlink -f "$0")
root=${self%/scripts/service/*}
# shellcheck source=scripts/service/functions.sh
. "$root/scripts/service/functions.sh"
run_dir=/run/k3s
runc_dir=/run/containerd/runc/k8s.io

# running PATTERN...: pids by their command line. Only of this mount namespace, so that a cluster in
# containers on the same machine, which has the same paths inside, is left alone.
running() {
  own=$(readlink /proc/self/ns/mnt)
  for process in /proc/[0-9]*; do
    line=$(tr '\0' ' ' 2>/dev/null <"$process/cmdline") || continue
    for pattern in "$@"; do
      # shellcheck disable=SC2254 # a pattern on purpose
      case "$line" in $pattern) ;; *) continue ;; esac
      [ "$(readlink "$process/ns/mnt")" != "$own" ] || echo "${process#/proc/}"
      break
    done
  done
}
k3ts_processes() {
  running 'k3ts server*' 'k3ts agent*' "*$root/src/cli/main.ts server*" "*$root/src/cli/main.ts agent*"
}
kill_all() {
  for pid in $1; do kill_tree "$pid"; done
}
# Pods' cgroups, in each hierarchy of version 1 and in version 2; deeper ones are others'.
pod_cgroups() {
  for cgroup in /sys/fs/cgroup/kubepods /sys/fs/cgroup/kubepods.slice \
    /sys/fs/cgroup/*/kubepods /sys/fs/cgroup/*/kubepods.slice; do
    [ ! -d "$cgroup" ] || echo "$cgroup"
  done
}

stop_processes() {
  for name in $(service_names); do stop_service "$name"; done
  # Started by hand: ended like with Ctrl-C first.
  for pid in $(k3ts_processes); do kill -TERM "$pid" 2>/dev/null; done
  tries=0
  while [ -n "$(k3ts_processes)" ] && [ "$tries" -lt 50 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  kill_all "$(k3ts_processes)"
  data_dirs | while IFS= read -r data_dir; do
    kill_all "$(running "*containerd --config $data_dir/agent/*")"
  done
  kill_all "$(running "*containerd-shim*-address $run_dir/containerd/*")"
  # Containers whose shim was killed before.
  for cgroup in $(pod_cgroups); do
    find "$cgroup" -name cgroup.procs -exec cat {} + 2>/dev/null
  done | sort -u | while read -r pid; do kill -KILL "$pid" 2>/dev/null; done
}

remove_container_state() {
  for task in "$run_dir"/containerd/io.containerd.runtime.v2.task/k8s.io/*; do
    [ -d "$task" ] || continue
    rm -rf "${runc_dir:?}/${task##*/}" /var/lib/cni/results/cni-loopback-"${task##*/}"-*
    socket=$(cat "$task/address" 2>/dev/null)
    case "$socket" in unix:///run/containerd/s/*) rm -f "${socket#unix://}" ;; esac
  done
  rmdir "$runc_dir" /run/containerd/runc /run/containerd/s /run/containerd 2>/dev/null
}

# unmount_below PATH: all mounts below it, the latest first; what is busy goes when it is free.
unmount_below() {
  awk -v below="$1/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | sed '1!G;h;$!d' |
    while read -r target; do umount -l "$(printf '%b' "$target")" 2>/dev/null; done
}
# A directory that k3ts mounted on itself; a disk that somebody mounted there stays.
unmount_self_bind() {
  awk -v at="$1" '
    { root[$1] = $4; device[$1] = $3; point[$1] = $5; parent[$1] = $2 }
    $5 == at { last = $1 }
    END {
      if (last == "" || device[last] != device[parent[last]]) exit 1
      above = point[parent[last]]
      rest = above == "/" ? at : substr(at, length(above) + 1)
      base = root[parent[last]] == "/" ? "" : root[parent[last]]
      exit (root[last] == (base rest == "" ? "/" : base rest)) ? 0 : 1
    }' /proc/self/mountinfo && umount -l "$1"
}

remove_mounts() {
  unmount_below "$run_dir"
  unmount_below /var/lib/kubelet/pods
  unmount_below /var/lib/kubelet/plugins
  data_dirs | while IFS= read -r data_dir; do unmount_below "$data_dir/agent/containerd"; done
  unmount_self_bind /var/lib/kubelet
}

remove_network() {
  for netns in /run/netns/cni-*; do
    [ -e "$netns" ] || continue
    umount -l "$netns" 2>/dev/null
    rm -f "$netns"
  done
  rmdir /run/netns 2>/dev/null
  ip -o link show master cni0 2>/dev/null | awk -F': ' '{ sub(/@.*/, "", $2); print $2 }' |
    while read -r link; do ip link delete "$link" 2>/dev/null; done
  for link in cni0 flannel.1 flannel-v6.1 kube-ipvs0 flannel-wg flannel-wg-v6; do
    ip link delete "$link" 2>/dev/null
  done
  for family in iptables ip6tables; do
    rules=$("$family-save" 2>/dev/null) || continue
    case "$rules" in *KUBE-* | *CNI-* | *FLANNEL* | *flannel*) ;; *) continue ;; esac
    echo "$rules" | grep -v -E 'KUBE-|CNI-|FLANNEL|flannel' | "$family-restore"
  done
  rm -rf /var/lib/cni/networks/cbr0 /var/lib/cni/results/cbr0-* /var/lib/cni/flannel /run/flannel
  rmdir /var/lib/cni/networks /var/lib/cni/results /var/lib/cni 2>/dev/null
}

remove_cgroups() {
  tries=0
  while [ -n "$(pod_cgroups)" ] && [ "$tries" -lt 50 ]; do
    for cgroup in $(pod_cgroups); do
      find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
    done
    # The kernel counts a killed process for a moment.
    [ -z "$(pod_cgroups)" ] || sleep 0.1
    tries=$((tries + 1))
  done
}

stop_processes
remove_container_state
remove_mounts
remove_network
remove_cgroups
rm -rf --one-file-system "$run_dir"
left=$(pod_cgroups)
[ -z "$left" ] || echo "k3ts-killall.sh: these cgroups are still in use: $left" >&2
echo "k3ts and its containers are stopped"
