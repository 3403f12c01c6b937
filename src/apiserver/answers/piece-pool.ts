/** Size of the pieces in which long bodies are gathered. */
export const pieceBytes = 128 * 1024;

/** Pieces kept for the next list. */
const maxKept = 32;

/**
 * Buffers for long bodies, used again: a list of a thousand pods fills some forty of them, and
 * memory that comes and goes outside the heap makes the garbage collector run all the time.
 */
export class PiecePool {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
  }

  /** Takes a piece back; nobody may read or write it any more. Parts of pieces are let go. */
  give(piece: Buffer): void {
    if (piece.length !== pieceBytes && piece.buffer.byteLength !== pieceBytes) return;
    if (this.#free.length < maxKept) this.#free.push(Buffer.from(piece.buffer, 0, pieceBytes));
  }
}
