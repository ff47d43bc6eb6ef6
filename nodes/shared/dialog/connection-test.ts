import { EdgeError } from '../errors';
import { isRecord } from './request';

/** What came of trying a connection; the dialog has a sentence for each, which says what to do. */
export type Outcome =
  | 'connected'
  | 'answered'
  | 'unsure'
  | 'shared'
  | 'credentials'
  | 'permission'
  | 'protocol'
  | 'clientId'
  | 'name'
  | 'refused'
  | 'unreachable'
  | 'timeout'
  | 'tls'
  | 'closed'
  | 'redirect'
  | 'busy'
  | 'server'
  | 'failed';

/** What was sent along to prove who this is; `withheld`: something is stored, for another address. */
export type UsedCredentials = 'none' | 'typed' | 'stored' | 'withheld';

/** The answer to a dialog that tried a connection. */
export interface ConnectionTest {
  outcome: Outcome;
  /** The server that was tried, with its port. */
  server: string;
  /** How long it took. */
  ms: number;
  credentials: UsedCredentials;
  /** The other side's or the system's own words, where there are any. */
  detail?: string;
}

/** A test answers within this time. */
export const TEST_LIMIT_MS = 9000;

/** What a connection failed for, by the system's code. */
export function outcomeOfCode(code: unknown): Outcome {
  if (typeof code !== 'string') {
    return 'failed';
  }
  return SYSTEM[code] ?? (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO|EPROTO|ISSUER/.test(code) ? 'tls' : 'failed');
}

const SYSTEM: Partial<Record<string, Outcome>> = {
  ENOTFOUND: 'name',
  EAI_AGAIN: 'name',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
};

/**
 * Chooses what may be sent along: what was typed into the dialog goes wherever the person says, what is stored only to
 * the address that it was deployed for.
 *
 * @param typed fields that were changed in the editor and not deployed; an empty text means that there is none now
 * @param stored what the running node has
 * @param isDeployedAddress whether the test goes where the running node goes
 */
export function chooseCredentials(
  names: readonly string[],
  typed: unknown,
  stored: Readonly<Record<string, unknown>>,
  isDeployedAddress: boolean,
): { credentials: Record<string, string>; used: UsedCredentials } {
  const credentials: Record<string, string> = {};
  const fields = isRecord(typed) ? typed : {};
  let used: UsedCredentials = 'none';
  for (const name of names) {
    const entered = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const kept = stored[name];
    if (typeof entered === 'string') {
      if (entered !== '') {
        credentials[name] = entered;
        used = used === 'withheld' ? used : 'typed';
      }
    } else if (typeof kept === 'string' && kept !== '') {
      if (isDeployedAddress) {
        credentials[name] = kept;
        used = used === 'typed' ? used : 'stored';
      } else {
        used = 'withheld';
      }
    }
  }
  return { credentials, used };
}

/** What a TLS configuration adds, without what proves who this is. */
export function withoutIdentity(addTls: (options: object) => void): (options: object) => void {
  return (options) => {
    addTls(options);
    for (const secret of ['key', 'cert', 'pfx', 'passphrase']) {
      Reflect.deleteProperty(options, secret);
    }
  };
}

/** Lets one test run at a time. */
export class ConnectionTests {
  private running = false;

  /** Rejects with `BUSY` while another runs. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running) {
      throw new EdgeError('BUSY', 'Another connection is being tested. Try again in some seconds.');
    }
    this.running = true;
    try {
      return await work();
    } finally {
      this.running = false;
    }
  }
}

/** The tests of all dialogs. */
export const connectionTests = new ConnectionTests();
