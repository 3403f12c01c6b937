import { K3tsError } from '#base/errors.ts';

/** An answer of the kubelet other than the one asked for: plain text with an HTTP code. */
export class KubeletRequestError extends K3tsError {
  readonly httpCode: number;

  constructor(httpCode: number, message: string, cause?: unknown) {
    super('KubeletRequest', message, { cause });
    this.name = 'KubeletRequestError';
    this.httpCode = httpCode;
  }
}
