/** Where an audited request's story is written down. */
export interface AuditNotes {
  readonly annotations: Map<string, string>;
  /** Adds an annotation; the first value of a key stays, as upstream. */
  annotate(key: string, value: string): void;
}

/** What the steps of the pipeline leave behind for the answer's headers and for the audit log. */
export class RequestTrail {
  #headers: Readonly<Record<string, string>> | undefined;
  /** Undefined when the request is not audited. */
  audit: AuditNotes | undefined;
  /** Set while the request holds seats; a watch gives them back when it has begun. */
  onBegun: (() => void) | undefined;

  /** Headers of the answer beside the usual ones. */
  get headers(): Readonly<Record<string, string>> | undefined {
    return this.#headers;
  }

  /** The record is kept as it is: it must not change afterwards. */
  addHeaders(headers: Readonly<Record<string, string>>): void {
    this.#headers = this.#headers === undefined ? headers : { ...this.#headers, ...headers };
  }

  /** Adds an annotation to the audit event, when there is one. */
  annotate(key: string, value: string): void {
    this.audit?.annotate(key, value);
  }
}
