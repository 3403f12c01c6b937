#!/bin/sh
# Builds native/prebuilt/pause-<arch>. Needed only when pause.c changes: the outputs are committed,
# because a user's machine has no compiler. CC_x86_64, CC_aarch64 choose the compilers.
set -eu
cd "$(dirname "$0")"
mkdir -p prebuilt
build() {
  arch=$1
  compiler=$2
  if ! command -v "${compiler%% *}" >/dev/null 2>&1; then
    echo "native/build.sh: $compiler not found, prebuilt/pause-$arch stays as it is" >&2
    return 0
  fi
  $compiler -Os -std=c11 -Wall -Wextra -nostdlib -static -ffreestanding -fno-stack-protector \
    -fno-asynchronous-unwind-tables -fno-pie -no-pie -Wl,--build-id=none -Wl,-z,norelro \
    -Wl,-z,noseparate-code -Wl,-s -o "prebuilt/pause-$arch" pause.c $3
}
build x86_64 "${CC_x86_64:-x86_64-linux-gnu-gcc}" -fcf-protection=none
build aarch64 "${CC_aarch64:-aarch64-linux-gnu-gcc}" -mbranch-protection=none
