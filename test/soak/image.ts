import { buildImage } from '../fixtures/images.ts';

export const soakImage = 'docker.io/test/soak:1';

/**
 * The program of all containers of a soak. Before anything else it takes a lock in /fence, a
 * directory of the machine that all share: a FIFO that it holds open for as long as one of its
 * processes lives. Opening a FIFO for writing goes through only while somebody holds it, so a
 * container that starts beside a living one of the same pod and name, or of the same identity,
 * sees that and says so.
 */
const program = `#!/bin/sh
say() { echo "$POD_NAME ($POD_UID) $CONTAINER: $*" >>/fence/violations; }
take() {
  mkfifo "/fence/locks/$1" 2>/dev/null && return
  timeout 1 sh -c ': >"$0"' "/fence/locks/$1" && say "$2"
}
take "$POD_UID.$CONTAINER" 'runs twice'
exec 9<>"/fence/locks/$POD_UID.$CONTAINER"
if [ -n "$IDENTITY" ]; then
  take "identity.$POD_NAME" 'another pod of this name still runs'
  exec 8<>"/fence/locks/identity.$POD_NAME"
fi
echo started >>"/fence/starts/$POD_UID.$CONTAINER"
echo "$POD_NAME $CONTAINER starts"
case "$1" in
serve)
  for file in $NEEDS; do [ -s "$file" ] || say "$file is missing"; done
  trap 'kill $!; exit 0' TERM INT
  httpd -f -p 80 -h /www &
  wait $! ;;
wait) trap 'kill $!; exit 0' TERM INT; sleep 1000000 & wait $! ;;
# Only SIGKILL, at the end of the grace period, ends it.
stubborn) trap '' TERM; while :; do sleep 1000; done ;;
once) usleep 300000; exit 0 ;;
crash) usleep 200000; exit 1 ;;
esac
`;

const handler = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n%s\\n' "$(hostname)"
`;

/** The archive with the image of all pods of a soak. */
export function buildSoakImage(): Promise<string> {
  return buildImage({
    name: soakImage,
    files: { 'usr/local/bin/soak': program, 'www/cgi-bin/index.cgi': handler },
    entrypoint: ['/usr/local/bin/soak'],
    ports: [80],
  });
}
