#!/bin/sh
# Keeps k3ts running where there is no init system: starts it again five seconds after it ends.
#   supervise.sh NAME      runs /etc/rancher/k3s/NAME.run, pid in /run/NAME.pid
# /run/NAME.failed is there from the first time that k3ts ended by itself.
set -u
name=$1
log=/var/log/$name.log
child=""
stop() {
  trap '' TERM INT
  if [ -n "$child" ]; then
    kill -TERM "$child" 2>/dev/null
    wait "$child"
  fi
  rm -f "/run/$name.pid" "/run/$name.failed"
  exit 0
}
trap stop TERM INT
trap '' HUP
rm -f "/run/$name.failed"
echo $$ >"/run/$name.pid"
while :; do
  # A log that grew past 50 MB starts anew, with one old copy beside it.
  if [ "$(stat -c %s "$log" 2>/dev/null || echo 0)" -gt 52428800 ]; then
    cp "$log" "$log.1" && : >"$log"
  fi
  "/etc/rancher/k3s/$name.run" &
  child=$!
  wait "$child"
  echo "supervise: k3ts ended with exit code $?, starting it again in 5 s"
  child=""
  : >"/run/$name.failed"
  sleep 5 &
  wait $!
done
