import type { Duplex } from 'node:stream';

/**
 * Carries bytes both ways until one side ends; then both are ended, after what is under way has
 * been written. A side that breaks takes the other with it. Resolves when both are closed.
 */
export async function joinSockets(left: Duplex, right: Duplex): Promise<void> {
  const bothClosed = Promise.all([joinOne(left, right), joinOne(right, left)]);
  left.pipe(right);
  right.pipe(left);
  await bothClosed;
}

function joinOne(one: Duplex, other: Duplex): Promise<void> {
  one.on('error', () => other.destroy());
  one.once('end', () => {
    // None of these protocols goes on in one direction: what `other` still says has no reader.
    other.unpipe(one);
    other.resume();
    one.end();
  });
  return new Promise((resolve) => {
    const onClose = (): void => {
      if (!one.readableEnded) other.destroy();
      resolve();
    };
    if (one.closed) onClose();
    else one.once('close', onClose);
  });
}
