import { gunzipSync } from 'node:zlib';

import type { Clock } from '#base/clock.ts';
import { formatMicroTime } from '#base/clock.ts';
import { formatDuration } from '#base/duration.ts';
import { yamlLibrary } from '#base/yaml-library.ts';
import { decodeProtobuf, isProtobuf } from '#schema/protobuf/mod.ts';
import type { OutgoingHeaders } from '../http/exchange.ts';
import type { RequestInfo, UserInfo } from '../request.ts';
import type { AuditNotes } from '../request-trail.ts';
import type { AuditBackend } from './audit-backend.ts';
import type { AuditEvent, AuditUser } from './event.ts';
import { auditUser, objectRef, responseStatus, withoutManagedFields } from './event.ts';
import type { AuditDecision, AuditStage } from './policy.ts';

/** Requests that took longer tell how long. */
const slowMs = 500;
const mergePatch = 'application/merge-patch+json';

/** What is known of a request when its audit begins. */
export interface AuditedRequest {
  readonly auditId: string;
  readonly uri: string;
  readonly user: UserInfo;
  readonly info: RequestInfo;
  readonly sourceIps: readonly string[];
  readonly userAgent: string;
  readonly receivedMs: number;
}

/** The audit of one request from its first stage to its last. */
export class RequestAudit implements AuditNotes {
  readonly annotations = new Map<string, string>();
  readonly #request: AuditedRequest;
  readonly #decision: AuditDecision;
  readonly #backend: AuditBackend;
  readonly #clock: Clock;
  readonly #onEvent: () => void;
  #impersonated: AuditUser | undefined;
  #constraint: string | undefined;
  #body: unknown;
  #code: number | undefined;
  #answer: unknown;
  #isComplete = false;
  /** A streamed body that is wanted has not ended yet. */
  #isStreaming = false;
  #endsWith: number | undefined;

  constructor(options: {
    request: AuditedRequest;
    decision: AuditDecision;
    backend: AuditBackend;
    clock: Clock;
    onEvent: () => void;
  }) {
    this.#request = options.request;
    this.#decision = options.decision;
    this.#backend = options.backend;
    this.#clock = options.clock;
    this.#onEvent = options.onEvent;
  }

  /** Whether bodies of answers are to be told. */
  get wantsAnswer(): boolean {
    return this.#decision.level === 'RequestResponse';
  }

  annotate(key: string, value: string): void {
    if (!this.annotations.has(key)) this.annotations.set(key, value);
  }

  /** `constraint`: the verb of the constrained mode that allowed it. */
  impersonate(user: UserInfo, constraint?: string): void {
    this.#impersonated = auditUser(user);
    this.#constraint = constraint;
  }

  noteBody(body: Buffer, contentType: string | undefined): void {
    this.#body = readBody(body, contentType);
  }

  /** The body of a request from inside, which never was text. */
  noteRequest(body: unknown): void {
    this.#body = body;
  }

  /** The answer to a request from inside. */
  noteResult(code: number, answer: unknown): void {
    this.#code = code;
    this.#answer = answer;
  }

  /** The answer's code and, when it is short or wanted, its body. */
  noteAnswer(code: number, headers: OutgoingHeaders, body: Buffer | undefined): void {
    this.#code = code;
    if (body === undefined || (code < 400 && !this.wantsAnswer)) return;
    this.#answer = readBody(unpacked(body, headers), headerOf(headers, 'content-type'));
  }

  received(): Promise<void> | undefined {
    return this.#emit('RequestReceived');
  }

  started(code: number): void {
    this.#code = code;
    settle(this.#emit('ResponseStarted'));
  }

  /** From now on `completed` waits for `streamed`. */
  streaming(): void {
    this.#isStreaming = true;
  }

  streamed(): void {
    this.#isStreaming = false;
    if (this.#endsWith !== undefined) this.completed(this.#endsWith);
  }

  /** A refusal before the user was known. */
  refused(code: number, message: string): void {
    this.#isComplete = true;
    this.#code = code;
    this.#answer = { kind: 'Status', status: 'Failure', message, reason: 'Unauthorized' };
    settle(this.#emit('ResponseStarted'));
  }

  completed(code: number): void {
    if (this.#isComplete) return;
    if (this.#isStreaming) {
      this.#endsWith = code;
      return;
    }
    this.#isComplete = true;
    this.#code ??= code;
    this.#tellLatency();
    settle(this.#emit('ResponseComplete'));
  }

  /** The request ended by a failure of the server's own. */
  panicked(message: string): void {
    if (this.#isComplete) return;
    this.#isComplete = true;
    this.#code = 500;
    this.#answer = {
      kind: 'Status',
      status: 'Failure',
      message: `APIServer panic'd: ${message}`,
      reason: 'InternalError',
    };
    settle(this.#emit('Panic'));
  }

  /** Only where it was long, as upstream. */
  #tellLatency(): void {
    const latencyMs = this.#clock.now() - this.#request.receivedMs;
    if (latencyMs <= slowMs) return;
    this.annotate('apiserver.latency.k8s.io/total', formatDuration(latencyMs));
  }

  #emit(stage: AuditStage): Promise<void> | undefined {
    if (this.#decision.omitStages.has(stage)) return undefined;
    this.#onEvent();
    return this.#backend.write([this.#event(stage)]);
  }

  #event(stage: AuditStage): AuditEvent {
    const { level, omitManagedFields } = this.#decision;
    const { auditId, uri, user, info, sourceIps, userAgent, receivedMs } = this.#request;
    const shown = (object: unknown): unknown =>
      omitManagedFields ? withoutManagedFields(object) : object;
    const reference = objectRef(info, this.#body);
    const withRequest = level === 'Request' || level === 'RequestResponse';
    return {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level,
      auditID: auditId,
      stage,
      requestURI: uri,
      verb: info.verb,
      user: auditUser(user),
      ...(this.#impersonated === undefined ? {} : { impersonatedUser: this.#impersonated }),
      ...(this.#constraint === undefined
        ? {}
        : { authenticationMetadata: { impersonationConstraint: this.#constraint } }),
      ...(sourceIps.length === 0 ? {} : { sourceIPs: sourceIps }),
      ...(userAgent === '' ? {} : { userAgent }),
      ...(reference === undefined ? {} : { objectRef: reference }),
      ...(this.#code === undefined
        ? {}
        : { responseStatus: responseStatus(this.#code, this.#answer) }),
      ...(withRequest && this.#body !== undefined ? { requestObject: shown(this.#body) } : {}),
      ...(this.wantsAnswer && this.#answer !== undefined
        ? { responseObject: shown(this.#answer) }
        : {}),
      requestReceivedTimestamp: formatMicroTime(receivedMs),
      stageTimestamp: formatMicroTime(this.#clock.now()),
      ...(this.annotations.size === 0 ? {} : { annotations: Object.fromEntries(this.annotations) }),
    };
  }
}

/** After the answer nothing can be refused any more; backends report their own failures. */
function settle(wait: Promise<void> | undefined): void {
  wait?.catch(() => undefined);
}

function unpacked(body: Buffer, headers: OutgoingHeaders): Buffer {
  return headerOf(headers, 'content-encoding') === 'gzip' ? gunzipSync(body) : body;
}

function headerOf(headers: OutgoingHeaders, name: string): string | undefined {
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name);
  return found === undefined ? undefined : String(found[1]);
}

/** The value that the bytes hold, undefined when they hold none that could be shown. */
function readBody(body: Buffer, contentType = ''): unknown {
  if (body.length === 0) return undefined;
  try {
    if (isProtobuf(body)) return decodeProtobuf(body);
    if (contentType.includes('yaml')) return yamlLibrary().parse(body.toString()) as unknown;
    if (contentType !== '' && !contentType.includes('json')) return undefined;
    return JSON.parse(body.toString()) as unknown;
  } catch {
    // told as it came: upstream, too, logs patches that it cannot read
    return contentType.startsWith(mergePatch) ? body.toString() : undefined;
  }
}
