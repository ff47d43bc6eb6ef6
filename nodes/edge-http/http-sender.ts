import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Clock } from '../shared/clock';
import type { HttpReply } from '../shared/connections';
import { checkDeviceKey, RENEW_AFTER_MS, sasToken } from '../shared/device-key';
import { EdgeError } from '../shared/errors';
import { isClosedByPeer, troubleOf } from '../shared/trouble';
import type { HttpConfig } from './config';

export interface HttpSecrets {
  token?: string;
  username?: string;
  password?: string;
  /** Key of an Azure IoT Hub device: every request carries a token that is made of it. */
  deviceKey?: string;
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
  private readonly sign: (() => string) | undefined;

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
    if (secrets.deviceKey) {
      this.sign = tokenSource(config.url, secrets.deviceKey, clock);
    } else if (secrets.token) {
      this.headers.authorization = `Bearer ${secrets.token}`;
    } else if (secrets.username) {
      this.options.auth = `${secrets.username}:${secrets.password ?? ''}`;
    }
    if (this.secure) {
      secrets.addTls?.(this.options);
    }
  }

  /**
   * Sends one body and waits for the whole answer, of which only its beginning is looked at. Over a kept-alive socket that
   * the server closed meanwhile the body may be sent twice: its headers should let the server know it again.
   *
   * @throws EdgeError `HTTP` when no answer arrived in time or at all
   */
  send(body: Uint8Array, headers: Record<string, string>, signal?: AbortSignal): Promise<HttpReply> {
    const timeout = AbortSignal.timeout(this.config.timeoutMs);
    const options: RequestOptions = {
      ...this.options,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      headers: {
        ...this.headers,
        ...headers,
        ...(this.sign && { authorization: this.sign() }),
        'content-length': String(body.byteLength),
      },
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
              reason: timeout.aborted ? 'ETIMEDOUT' : (error as NodeJS.ErrnoException).code,
              ...(trouble.fault && { fault: trouble.fault }),
              ...(closed && { closed }),
            },
          ),
        );
      };
      let answered = false;
      const receive = (response: IncomingMessage): void => {
        answered = true;
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
      };
      const ask = (over: RequestOptions): void => {
        const request = (this.secure ? httpsRequest : httpRequest)(this.config.url, over, receive);
        request.on('error', (error) => {
          // The server may have closed a kept-alive socket just when it was taken: that says nothing of the server.
          if (request.reusedSocket && !answered && isClosedByPeer(error)) {
            ask({ ...options, agent: false });
          } else {
            refuse(error);
          }
        });
        request.end(body);
      };
      ask(options);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

/**
 * Tokens for one device, each used for most of the time that it is valid.
 *
 * @throws EdgeError `CONFIG` when the address is not that of a device, or the key is none
 */
function tokenSource(url: URL, key: string, clock: Clock): () => string {
  checkDeviceKey(key);
  const device = /^\/devices\/([^/]+)\//.exec(url.pathname)?.[1];
  if (device === undefined) {
    throw new EdgeError(
      'CONFIG',
      'Property "url" must be https://<hub>/devices/<device>/messages/events?api-version=2020-03-13 when a device key is entered.',
      { property: 'url' },
    );
  }
  let token = { text: '', madeMs: -Infinity };
  return () => {
    const now = clock.now();
    // Also when the clock was set back: the server would not take what seems to come from the future.
    if (now >= token.madeMs + RENEW_AFTER_MS || now < token.madeMs) {
      const text = sasToken(`${url.hostname}/devices/${decodeURIComponent(device)}`, key, now);
      token = { text, madeMs: now };
    }
    return token.text;
  };
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
