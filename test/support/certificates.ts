import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files of a certificate and its key. */
export interface Identity {
  cert: string;
  key: string;
}

/** A certificate authority that lives as long as a test, made with openssl. */
export class Authority {
  private readonly folder = mkdtempSync(join(tmpdir(), 'edge-ca-'));
  private count = 0;

  /** @param program the path of openssl */
  constructor(private readonly program: string) {
    writeFileSync(join(this.folder, 'server.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
    this.run(...this.newKey('ca'), '-x509', '-days', '2', '-out', this.ca);
  }

  /** File of its own certificate. */
  get ca(): string {
    return join(this.folder, 'ca.pem');
  }

  /** Signs a certificate for 127.0.0.1. */
  server(options: { expired?: boolean } = {}): Identity {
    return this.sign('localhost', options.expired, ['-extfile', join(this.folder, 'server.ext')]);
  }

  /** Signs a client's certificate. */
  client(name: string, options: { expired?: boolean } = {}): Identity {
    return this.sign(name, options.expired, []);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private sign(name: string, expired: boolean | undefined, extensions: string[]): Identity {
    const file = `${name}-${++this.count}`;
    const [cert, request] = [`${file}.pem`, `${file}.csr`].map((entry) => join(this.folder, entry));
    this.run(...this.newKey(name, file), '-out', request);
    const issuer = ['-CA', this.ca, '-CAkey', join(this.folder, 'ca.key'), '-CAcreateserial'];
    const days = expired ? '-1' : '2';
    this.run('x509', '-req', '-in', request, ...issuer, '-days', days, '-out', cert, ...extensions);
    return { cert, key: join(this.folder, `${file}.key`) };
  }

  private newKey(name: string, file = name): string[] {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    return ['req', ...curve, '-keyout', join(this.folder, `${file}.key`), '-subj', `/CN=${name}`];
  }

  private run(...args: string[]): void {
    execFileSync(this.program, args, { stdio: 'pipe' });
  }
}
