import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Clock } from '../shared/clock';
import type { HttpReply } from '../shared/connections';
import { EdgeError } from '../shared/errors';
import { isClosedByPeer, troubleOf } from '../shared/trouble';
import type { HttpConfig } from './config';

export interface HttpSecrets {
  token?: string;
  username?: string;
  password?: string;
  addTls?: (options: object) => void;
}

const MAX_SOCKETS = 8;
const EXCERPT_BYTES = 512;
/** Some servers say nothing to a client whose certificate they do not take. */
const CLOSED_ADVICE =
  ': the server closed the connection. If it asks for a client certificate, check the one in the TLS configuration';

/** Sends request bodies to one destination over kept-alive sockets. */
export class HttpSender {
  private readonly agent: HttpAgent | HttpsAgent;
  private readonly options: RequestOptions;
  private readonly headers: Record<string, string>;
  private readonly secure: boolean;

  constructor(
    private readonly config: HttpConfig,
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
   * Sends one body and waits for the whole answer, of which only its beginning is looked at.
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
      const refuse = (error: Error): void => {
        const trouble = troubleOf(error);
        const closed = !timeout.aborted && isClosedByPeer(error);
        reject(
          new EdgeError(
            'HTTP',
            timeout.aborted
              ? `${this.config.url.host} did not answer in ${this.config.timeoutMs / 1000} s.`
              : `${this.config.url.host}: ${trouble.reason}${this.secure && closed ? CLOSED_ADVICE : ''}`,
            {
              ...(trouble.fault && { fault: trouble.fault }),
              ...(closed && { closed }),
            },
          ),
        );
      };
      const request = (this.secure ? httpsRequest : httpRequest)(this.config.url, options, (response) => {
        response.on('error', refuse);
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          const retryAfterMs = parseRetryAfter(response.headers['retry-after'], this.clock.now());
          resolve({
            status,
            ...(isAboutCertificate(status, beginning) && { certificateRefused: true as const }),
            ...(retryAfterMs !== undefined && { retryAfterMs }),
          });
        });
        let beginning = '';
        response.on('data', (chunk: Buffer) => {
          beginning += chunk.toString('latin1', 0, EXCERPT_BYTES - beginning.length);
        });
      });
      request.on('error', refuse);
      request.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

/** Whether an answer is nginx's about a client certificate, which it gives as a bad request. */
function isAboutCertificate(status: number, beginning: string): boolean {
  return status === 495 || status === 496 || (status === 400 && /SSL certificate/i.test(beginning));
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
