#!/bin/sh
# How k3ts is kept running on this machine; read by install.sh, killall.sh and uninstall.sh.
# Three kinds: systemd, OpenRC, and where there is neither a supervising shell in the background.
# Needs $root, the checkout. What an installation chose is in /etc/rancher/k3s/NAME.installed.
# shellcheck disable=SC2154 # root is set by who reads this file
state_dir=/etc/rancher/k3s
systemd_dir=/etc/systemd/system

service_kind() {
  if [ -d /run/systemd/system ]; then
    echo systemd
  elif [ -d /run/openrc ] && command -v openrc-run >/dev/null 2>&1; then
    echo openrc
  else
    echo background
  fi
}

# One word each, written so that sh, systemd's ExecStart= or both sh and EnvironmentFile= read it back.
quote_sh() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }
quote_unit() { printf '"%s"' "$(printf '%s' "$1" | sed -e 's/[\\"]/\\&/g' -e 's/%/%%/g' -e 's/\$/$$/g')"; }
quote_env() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"$`]/\\&/g')"; }

# write_environment FILE: k3s' and proxy variables of this shell, for root's eyes as they may hold tokens.
write_environment() {
  pattern='^((K3S|CONTAINERD)_[A-Za-z0-9_]*|(NO|HTTP|HTTPS|ALL|no|http|https|all)_(PROXY|proxy))='
  rm -f "$1"
  (
    umask 077
    env | grep -E "$pattern" | sed 's/=.*//' | sort -u | while read -r variable; do
      eval "value=\${$variable-}"
      printf '%s=%s\n' "$variable" "$(quote_env "$value")"
    done >"$1"
  )
}

# quote_words WORD...: sets $for_sh and $for_unit for the render functions below.
quote_words() {
  for_sh="" for_unit=""
  for word in "$@"; do
    for_sh="$for_sh $(quote_sh "$word")"
    for_unit="$for_unit $(quote_unit "$word")"
  done
}

# write_service NAME PROGRAM ENV_FILE ARGUMENT...
write_service() {
  service=$1 program=$2 env_file=$3
  shift 3
  quote_words "$@"
  case "$(service_kind)" in
  systemd)
    render_unit >"$systemd_dir/$service.service"
    systemctl daemon-reload
    [ "${INSTALL_K3S_SKIP_ENABLE:-false}" = true ] || systemctl enable --quiet "$service"
    ;;
  openrc)
    render_openrc >"/etc/init.d/$service"
    chmod 755 "/etc/init.d/$service"
    [ "${INSTALL_K3S_SKIP_ENABLE:-false}" = true ] || rc-update add "$service" default >/dev/null
    ;;
  background)
    render_run >"$state_dir/$service.run"
    chmod 700 "$state_dir/$service.run"
    ;;
  esac
}

# KillMode=process: containerd and the shims of containers outlive a stop or restart of k3ts.
render_unit() {
  cat <<UNIT
# Written by k3ts' install.sh.
[Unit]
Description=Kubernetes in TypeScript ($service)
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Install]
WantedBy=multi-user.target

[Service]
Type=exec
EnvironmentFile=-/etc/default/$service
EnvironmentFile=-/etc/sysconfig/$service
EnvironmentFile=-$env_file
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStart=$program$for_unit
UNIT
}

render_openrc() {
  cat <<UNIT
#!/sbin/openrc-run
# Written by k3ts' install.sh.
description="Kubernetes in TypeScript ($service)"
supervisor=supervise-daemon
command="$program"
command_args=$(quote_env "${for_sh# }")
output_log="/var/log/$service.log"
error_log="/var/log/$service.log"
pidfile="/run/$service.pid"
respawn_delay=5
respawn_max=0
set -a
[ ! -f $env_file ] || . $env_file
set +a
depend() {
  after network-online
  want cgroups
}
UNIT
}

render_run() {
  cat <<RUN
#!/bin/sh
# Written by k3ts' install.sh: what the background supervisor runs.
set -a
[ ! -f $env_file ] || . $env_file
set +a
exec $program$for_sh
RUN
}

start_service() {
  case "$(service_kind)" in
  systemd)
    systemctl reset-failed "$1" 2>/dev/null || true
    systemctl restart "$1"
    ;;
  openrc) rc-service "$1" restart ;;
  background)
    stop_service "$1"
    # A session of its own, so that closing the terminal does not end it; no variables but those of
    # the environment file, as with an init system.
    setsid env -i PATH="$PATH:/usr/sbin:/sbin" HOME="${HOME:-/root}" \
      sh "$root/scripts/service/supervise.sh" "$1" </dev/null >>"/var/log/$1.log" 2>&1 &
    ;;
  esac
}

stop_service() {
  case "$(service_kind)" in
  systemd) systemctl stop "$1" 2>/dev/null || true ;;
  openrc) rc-service --quiet --ifstarted "$1" stop || true ;;
  background) stop_supervisor "$1" ;;
  esac
}

# The supervisor hands TERM on to k3ts and waits for it; after 20 seconds both are killed.
stop_supervisor() {
  supervisor=$(cat "/run/$1.pid" 2>/dev/null) || return 0
  if is_supervisor "$supervisor"; then
    kill -TERM "$supervisor" 2>/dev/null || true
    tries=0
    while [ -d "/proc/$supervisor" ] && [ "$tries" -lt 200 ]; do
      sleep 0.1
      tries=$((tries + 1))
    done
    [ ! -d "/proc/$supervisor" ] || kill_tree "$supervisor"
  fi
  rm -f "/run/$1.pid"
}

is_supervisor() { grep -q supervise.sh "/proc/$1/cmdline" 2>/dev/null; }

# has_failed NAME: whether it ended by itself since it was started.
has_failed() {
  case "$(service_kind)" in
  systemd)
    case "$(systemctl show -p SubState --value "$1")" in auto-restart | failed | dead) return 0 ;; esac
    return 1
    ;;
  openrc) rc-service "$1" status 2>/dev/null | grep -q crashed ;;
  background) [ -e "/run/$1.failed" ] ;;
  esac
}

remove_service() {
  stop_service "$1"
  case "$(service_kind)" in
  systemd)
    systemctl disable --quiet "$1" 2>/dev/null || true
    rm -f "$systemd_dir/$1.service"
    systemctl daemon-reload
    ;;
  openrc)
    rc-update delete "$1" default >/dev/null 2>&1 || true
    rm -f "/etc/init.d/$1"
    ;;
  esac
  rm -f "$state_dir/$1.run" "$state_dir/$1.env" "$state_dir/$1.installed" "/run/$1.failed" \
    "/var/log/$1.log" "/var/log/$1.log.1"
}

# Names of all k3ts services on this machine.
service_names() {
  for file in "$systemd_dir"/k3ts*.service /etc/init.d/k3ts* "$state_dir"/k3ts*.installed; do
    [ -e "$file" ] || continue
    base=${file##*/}
    base=${base%.service}
    echo "${base%.installed}"
  done | sort -u
}

# Data directories of all installations, the usual one among them; one a line.
data_dirs() {
  {
    echo "${K3S_DATA_DIR:-/var/lib/rancher/k3s}"
    installed_values data_dir
  } | sort -u
}

# installed_values NAME: what the installations have for data_dir, bin_dir or kubeconfig.
installed_values() {
  for file in "$state_dir"/k3ts*.installed; do
    [ -e "$file" ] || continue
    # shellcheck disable=SC1090 # written by install.sh
    (. "$file" && eval "echo \"\$$1\"")
  done
}

log_hint() {
  case "$(service_kind)" in
  systemd) echo "journalctl -u $1 -f" ;;
  *) echo "tail -f /var/log/$1.log" ;;
  esac
}

# log_mark NAME, then recent_log NAME MARK: what it logged since then, at most 20 lines.
log_mark() {
  case "$(service_kind)" in
  systemd) date +%s ;;
  *) stat -c %s "/var/log/$1.log" 2>/dev/null || echo 0 ;;
  esac
}
recent_log() {
  case "$(service_kind)" in
  systemd) journalctl -u "$1" --since "@$2" -n 20 --no-pager -o cat ;;
  *) tail -c "+$(($2 + 1))" "/var/log/$1.log" | tail -n 20 ;;
  esac
}

# kill_tree PID: it and its descendants, the deepest first.
kill_tree() {
  kill -STOP "$1" 2>/dev/null || return 0
  # shellcheck disable=SC2013 # words on purpose
  for descendant in $(cat /proc/"$1"/task/*/children 2>/dev/null); do kill_tree "$descendant"; done
  kill -KILL "$1" 2>/dev/null || true
}
