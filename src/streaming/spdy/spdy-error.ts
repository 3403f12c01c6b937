import { K3tsError } from '#base/errors.ts';

/** The peer broke the protocol, or the connection or stream ended in an unusual way. */
export class SpdyError extends K3tsError {
  constructor(code: 'SpdyProtocol' | 'SpdyReset' | 'SpdyClosed', message: string) {
    super(code, message);
    this.name = 'SpdyError';
  }
}
