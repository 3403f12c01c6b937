# How k3ts is kept running on this machine; read by install.sh, killall.sh and uninstall.sh.
# Three kinds: systemd, OpenRC, and where there is neither a supervising shell in the background.
# Uses $root (the checkout) and $bin_dir.

service_kind() {
  if [ -d /run/systemd/system ]; then echo systemd
  elif [ -d /run/openrc ] && command -v openrc-run >/dev/null 2>&1; then echo openrc
  else echo background; fi
}

# write_service NAME COMMAND ARGUMENTS ENV_FILE
write_service() {
  case "$(service_kind)" in
  systemd)
    cat >"/etc/systemd/system/$1.service" <<UNIT
[Unit]
Description=Kubernetes in TypeScript
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=exec
EnvironmentFile=-$4
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/bin/sh -c "exec $bin_dir/k3ts $2$3"
UNIT
    systemctl daemon-reload
    [ "${INSTALL_K3S_SKIP_ENABLE:-false}" = true ] || systemctl enable "$1" >/dev/null 2>&1
    ;;
  openrc)
    cat >"/etc/init.d/$1" <<UNIT
#!/sbin/openrc-run
description="Kubernetes in TypeScript"
supervisor=supervise-daemon
command="/bin/sh"
command_args="-c \"set -a; [ ! -f $4 ] || . $4; set +a; exec $bin_dir/k3ts $2$3\""
output_log=/var/log/$1.log
error_log=/var/log/$1.log
pidfile=/run/$1.pid
respawn_delay=5
respawn_max=0
depend() {
  after network-online
  want cgroups
}
UNIT
    chmod 755 "/etc/init.d/$1"
    [ "${INSTALL_K3S_SKIP_ENABLE:-false}" = true ] || rc-update add "$1" default >/dev/null
    ;;
  background)
    cat >"/etc/rancher/k3s/$1.run" <<RUN
#!/bin/sh
# Written by k3ts' install.sh: what the background supervisor runs.
set -a
[ ! -f $4 ] || . $4
set +a
exec $bin_dir/k3ts $2$3
RUN
    chmod 700 "/etc/rancher/k3s/$1.run"
    ;;
  esac
}

start_service() {
  case "$(service_kind)" in
  systemd) systemctl restart "$1" ;;
  openrc) rc-service "$1" restart ;;
  background)
    stop_service "$1"
    # A session of its own, so that closing the terminal does not end it.
    setsid sh "$root/scripts/service/supervise.sh" "$1" </dev/null >>"/var/log/$1.log" 2>&1 &
    ;;
  esac
}

stop_service() {
  case "$(service_kind)" in
  systemd) systemctl stop "$1" 2>/dev/null || true ;;
  openrc) rc-service "$1" stop 2>/dev/null || true ;;
  background)
    pid_file=/run/$1.pid
    [ -f "$pid_file" ] || return 0
    pid=$(cat "$pid_file")
    # The supervisor hands TERM on to k3ts and waits for it.
    if grep -q supervise.sh "/proc/$pid/cmdline" 2>/dev/null; then
      kill -TERM "$pid" 2>/dev/null || true
      count=0
      while [ -d "/proc/$pid" ] && [ "$count" -lt 150 ]; do
        sleep 0.1
        count=$((count + 1))
      done
      kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -f "$pid_file"
    ;;
  esac
}

remove_service() {
  stop_service "$1"
  case "$(service_kind)" in
  systemd)
    systemctl disable "$1" >/dev/null 2>&1 || true
    rm -f "/etc/systemd/system/$1.service"
    systemctl daemon-reload
    ;;
  openrc)
    rc-update delete "$1" default >/dev/null 2>&1 || true
    rm -f "/etc/init.d/$1"
    ;;
  esac
  rm -f "/etc/rancher/k3s/$1.run" "/etc/rancher/k3s/$1.env" "/var/log/$1.log"
}

# Names of all k3ts services on this machine.
service_names() {
  for file in /etc/systemd/system/k3ts*.service /etc/init.d/k3ts* /etc/rancher/k3s/k3ts*.run; do
    [ -e "$file" ] || continue
    base=${file##*/}
    base=${base%.service}
    echo "${base%.run}"
  done | sort -u
}

log_hint() {
  case "$(service_kind)" in
  systemd) echo "journalctl -u $1 -f" ;;
  *) echo "tail -f /var/log/$1.log" ;;
  esac
}

recent_log() {
  case "$(service_kind)" in
  systemd) journalctl -u "$1" -n 20 --no-pager ;;
  *) tail -n 20 "/var/log/$1.log" ;;
  esac
}
