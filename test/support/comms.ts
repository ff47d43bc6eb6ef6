/** What the editor is told by the runtime: the entries of the debug sidebar, as they come. */
export class DebugSidebar {
  readonly entries: { id: string; name: string; msg: string }[] = [];

  private constructor(private readonly socket: WebSocket) {
    socket.addEventListener('message', (event) => {
      const packets = JSON.parse(String(event.data)) as {
        topic: string;
        data: { id: string; name: string; msg: string };
      }[];
      for (const { topic, data } of packets) {
        if (topic === 'debug') {
          this.entries.push(data);
        }
      }
    });
  }

  static async open(url: string): Promise<DebugSidebar> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/comms`);
    const sidebar = new DebugSidebar(socket);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', reject, { once: true });
    });
    socket.send(JSON.stringify({ subscribe: 'debug' }));
    return sidebar;
  }

  /** Waits for an entry of the named debug node that matches. */
  async waitFor(name: string, pattern: RegExp, timeoutMs: number): Promise<string> {
    const deadline = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const found = this.entries.find((entry) => entry.name === name && pattern.test(entry.msg));
      if (found) {
        return found.msg;
      }
      await new Promise((resolve, reject) => {
        this.socket.addEventListener('message', resolve, { once: true });
        deadline.addEventListener(
          'abort',
          () =>
            reject(
              new Error(`${name} never showed ${String(pattern)}; it showed ${JSON.stringify(this.entries)}`),
            ),
          { once: true },
        );
      });
    }
  }

  close(): void {
    this.socket.close();
  }
}
