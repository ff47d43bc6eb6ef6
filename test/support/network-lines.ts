import { execFileSync } from 'node:child_process';
import { TcpProxy } from './tcp-proxy';
import { findProgram } from './tools';

/** The network cable of one process: it can be pulled out, so that nobody at either end is told. */
export interface Line {
  /** How a program is run at the end of this line; absent where any process can use it. */
  within?: [program: string, ...parameters: string[]];
  /** Where the process at its end finds the broker. */
  url: (brokerPort: number) => string;
  cut(): Promise<void>;
  heal(): Promise<void>;
}

/** The lines of several processes to one place. */
export interface Lines {
  kind: 'namespaces' | 'proxies';
  /** Where the broker has to listen. */
  address: string;
  lines: Line[];
  close(): Promise<void>;
}

/**
 * Network namespaces, each with a virtual cable to a bridge, where this machine allows them; undefined elsewhere, as
 * in most containers and for users who are not root. A cable that is down loses packets without a word, and its
 * connections only find out by their own timeouts.
 */
export function namespaceLines(count: number): Lines | undefined {
  const ip = findProgram('ip');
  if (ip === undefined || process.getuid?.() !== 0) {
    return undefined;
  }
  const tag = process.pid.toString(36);
  const net = `10.213.${process.pid % 250}`;
  const bridge = `edge${tag}`;
  const run = (...parameters: string[]): void => void execFileSync(ip, parameters, { stdio: 'ignore' });
  const spaces = Array.from({ length: count }, (_, index) => `edge-${tag}-${index}`);
  const close = (): Promise<void> => {
    for (const undo of [...spaces.map((name) => ['netns', 'del', name]), ['link', 'del', bridge]]) {
      try {
        run(...undo);
      } catch {
        // It was never made.
      }
    }
    return Promise.resolve();
  };
  try {
    run('link', 'add', bridge, 'type', 'bridge');
    run('addr', 'add', `${net}.1/24`, 'dev', bridge);
    run('link', 'set', bridge, 'up');
    const lines = spaces.map((space, index): Line => {
      const cable = `edge${tag}x${index}`;
      run('netns', 'add', space);
      run('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
      run('link', 'set', cable, 'master', bridge, 'up');
      run('-n', space, 'addr', 'add', `${net}.${index + 10}/24`, 'dev', 'eth0');
      run('-n', space, 'link', 'set', 'lo', 'up');
      run('-n', space, 'link', 'set', 'eth0', 'up');
      const set = (state: 'up' | 'down'): Promise<void> => {
        run('link', 'set', cable, state);
        return Promise.resolve();
      };
      return {
        within: [ip, 'netns', 'exec', space],
        url: (port) => `mqtt://${net}.1:${port}`,
        cut: () => set('down'),
        heal: () => set('up'),
      };
    });
    return { kind: 'namespaces', address: `${net}.1`, lines, close };
  } catch {
    void close();
    return undefined;
  }
}

/** The same with a proxy for each process, which needs no rights: it freezes, and resets what is held up when it heals. */
export async function proxyLines(count: number, brokerPort: number): Promise<Lines> {
  const proxies = await Promise.all(Array.from({ length: count }, () => TcpProxy.start(brokerPort)));
  return {
    kind: 'proxies',
    address: '127.0.0.1',
    lines: proxies.map((proxy) => ({
      url: () => proxy.url,
      cut: () => {
        proxy.freeze();
        return Promise.resolve();
      },
      heal: () => {
        proxy.cut();
        proxy.heal();
        return Promise.resolve();
      },
    })),
    close: async () => {
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
  };
}
