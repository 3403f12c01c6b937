/**
 * SPDY/3.1 as Kubernetes uses it: frames, header compression, streams, and the upgrade that leads
 * there. It knows nothing of what streams are for. Start reading at session.ts.
 */
export type { SpdyHeaders } from './header-block.ts';
export { openSpdy } from './open-spdy.ts';
export type { OpenSpdyOptions } from './open-spdy.ts';
export { SpdySession } from './session.ts';
export type { SpdySessionOptions } from './session.ts';
export { SpdyError } from './spdy-error.ts';
export { SpdyStream } from './stream.ts';
