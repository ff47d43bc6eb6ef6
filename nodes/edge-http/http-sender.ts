import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Clock } from '../shared/clock';
import type { HttpReply } from '../shared/connections';
import { EdgeError } from '../shared/errors';
import type { HttpConfig } from './config';

export interface HttpSecrets {
  token?: string;
  username?: string;
  password?: string;
  addTls?: (options: object) => void;
}

const MAX_SOCKETS = 8;

/** Sends request bodies to one destination over kept-alive sockets. */
export class HttpSender {
  private readonly agent: HttpAgent | HttpsAgent;
  private readonly options: RequestOptions;
  private readonly headers: Record<string, string>;
  private readonly secure: boolean;

  constructor(
    private readonly config: Pick<HttpConfig, 'url' | 'headers' | 'timeoutMs'> & { method: string },
    secrets: HttpSecrets,
    private readonly clock: Clock,
  ) {
    this.secure = config.url.protocol === 'https:';
    const pool = { keepAlive: true, maxSockets: MAX_SOCKETS };
    this.agent = this.secure ? new HttpsAgent(pool) : new HttpAgent(pool);
    this.options = { method: config.method, agent: this.agent };
    this.headers = Object.fromEntries(config.headers.map(({ name, value }) => [name, value]));
    if (secrets.token) {
      this.headers.authorization = `Bearer ${secrets.token}`;
    } else if (secrets.username) {
      this.options.auth = `${secrets.username}:${secrets.password ?? ''}`;
    }
    if (this.secure) {
      secrets.addTls?.(this.options);
    }
  }

  /**
   * Sends one body and waits for the whole answer, which is discarded.
   *
   * @throws EdgeError `HTTP` when no answer arrived in time or at all
   */
  send(body: Uint8Array, headers: Record<string, string>, signal?: AbortSignal): Promise<HttpReply> {
    const timeout = AbortSignal.timeout(this.config.timeoutMs);
    const options: RequestOptions = {
      ...this.options,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      headers: { ...this.headers, ...headers, 'content-length': String(body.byteLength) },
    };
    return new Promise((resolve, reject) => {
      const refuse = (error: Error): void =>
        reject(
          new EdgeError(
            'HTTP',
            timeout.aborted
              ? `${this.config.url.host} did not answer in ${this.config.timeoutMs / 1000} s.`
              : `${this.config.url.host}: ${error.message}`,
            { reason: timeout.aborted ? 'ETIMEDOUT' : (error as NodeJS.ErrnoException).code },
          ),
        );
      const request = (this.secure ? httpsRequest : httpRequest)(this.config.url, options, (response) => {
        response.on('error', refuse);
        response.on('end', () => {
          const reply: HttpReply = { status: response.statusCode ?? 0 };
          const retryAfterMs = parseRetryAfter(response.headers['retry-after'], this.clock.now());
          resolve(retryAfterMs === undefined ? reply : { ...reply, retryAfterMs });
        });
        response.resume();
      });
      request.on('error', refuse);
      request.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

/** Reads `Retry-After` (RFC 9110, 10.2.3), seconds or a date, as ms from now; undefined when absent or unreadable. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) {
    return undefined;
  }
  if (/^\d+$/.test(header.trim())) {
    return Number(header) * 1000;
  }
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
