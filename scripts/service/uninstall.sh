#!/bin/sh
# Removes k3ts from this machine: services, containers, data, configuration, links. The checkout
# and the Debian packages stay.
set -u
[ "$(id -u)" = 0 ] || {
  echo "k3ts-uninstall.sh: run it as root" >&2
  exit 1
}
self=$(readlink -f "$0")
root=${self%/scripts/service/*}
# shellcheck source=scripts/service/functions.sh
. "$root/scripts/service/functions.sh"

# Read before they are removed.
names=$(service_names)
directories=$(data_dirs)
links_in=$(printf '/usr/local/bin\n%s\n' "$(installed_values bin_dir)" | sort -u)
kubeconfigs=$(installed_values kubeconfig)

# remove PATH: with all it holds, but never through a mount. What is mounted below stays, and is told;
# of a directory that is a mount itself only the content goes.
remove() {
  [ -e "$1" ] || [ -L "$1" ] || return 0
  below=$(awk -v below="$1/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo)
  if [ -n "$below" ]; then
    echo "k3ts-uninstall.sh: $1 stays, unmount these first:" "$below" >&2
    return 1
  elif awk -v at="$1" '$5 == at { found = 1 } END { exit !found }' /proc/self/mountinfo; then
    find "$1" -xdev -mindepth 1 -delete
  else
    rm -rf --one-file-system "$1"
  fi
}

sh "$root/scripts/service/killall.sh"
for name in $names; do remove_service "$name"; done
echo "$links_in" | while IFS= read -r directory; do
  for tool in k3ts k3s crictl ctr k3ts-killall.sh k3ts-uninstall.sh k3s-killall.sh k3s-uninstall.sh \
    k3s-agent-uninstall.sh; do
    case "$(readlink "$directory/$tool")" in "$root"/*) rm -f "$directory/$tool" ;; esac
  done
done
echo "$kubeconfigs" | while IFS= read -r file; do [ -z "$file" ] || rm -f "$file"; done

# Of a data directory only what is ours goes: somebody may have given one that holds more.
{
  echo "$directories" | while IFS= read -r directory; do
    printf '%s\n' "$directory/agent" "$directory/server" "$directory/storage"
  done
  printf '%s\n' "$state_dir" /etc/rancher/node /var/lib/kubelet /var/log/pods /var/log/containers \
    /var/cache/k3ts
} | {
  exit_code=0
  while IFS= read -r path; do remove "$path" || exit_code=1; done
  exit "$exit_code"
}
exit_code=$?
echo "$directories" | while IFS= read -r directory; do rmdir "$directory" 2>/dev/null; done
rmdir /etc/rancher /var/lib/rancher 2>/dev/null
[ "$exit_code" != 0 ] || echo "k3ts is removed; the checkout stays in $root"
exit "$exit_code"
