#!/bin/sh
# Keeps k3ts running where there is no init system: starts it again five seconds after it ends.
#   supervise.sh NAME      runs /etc/rancher/k3s/NAME.run, pid in /run/NAME.pid
set -u
name=$1
echo $$ >"/run/$name.pid"
child=""
stop() {
  trap '' TERM INT
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
  [ -z "$child" ] || wait "$child"
  rm -f "/run/$name.pid"
  exit 0
}
trap stop TERM INT
while :; do
  # A log that grew past 50 MB starts anew, with one old copy beside it.
  log=/var/log/$name.log
  if [ "$(stat -c %s "$log" 2>/dev/null || echo 0)" -gt 52428800 ]; then
    cp "$log" "$log.1" && : >"$log"
  fi
  "/etc/rancher/k3s/$name.run" &
  child=$!
  wait "$child"
  echo "supervise: k3ts ended with exit code $?, starting it again in 5 s"
  child=""
  sleep 5 &
  wait $!
done
