import { chromium, type Browser, type Page } from 'playwright-core';

export interface EditorOptions {
  dark?: boolean;
  language?: string;
  /** One that is open already, and stays so; a browser of its own otherwise. */
  browser?: Browser;
  /** Who logs in, for a Node-RED that asks. */
  user?: { username: string; password: string };
}

/** Starts a browser without its own traffic to the internet. */
export function launchBrowser(program: string): Promise<Browser> {
  return chromium.launch({
    executablePath: program,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Part of the editor's global that the tests call inside the page. */
interface EditorGlobal {
  RED: {
    nodes: { node(id: string): { valid?: boolean; validationErrors?: unknown[] } | null; id?: string };
    editor: { edit(node: object): void; editConfig(name: string, type: string, id: string): void };
  };
}

/** Node-RED's editor in a real browser. */
export class Editor {
  /** Errors that the page logged or threw. */
  readonly errors: string[] = [];

  private constructor(
    private readonly release: () => Promise<void>,
    readonly page: Page,
  ) {
    page.on('console', (message) => {
      // Node-RED itself asks the internet for news, which a closed network refuses.
      if (message.type() === 'error' && !message.text().includes('ERR_NAME_NOT_RESOLVED')) {
        this.errors.push(`${message.text()} ${message.location().url}`.trim());
      }
    });
    page.on('pageerror', (error) => this.errors.push(String(error)));
  }

  /** @param program path of chromium */
  static async open(program: string, url: string, options: EditorOptions = {}): Promise<Editor> {
    const browser = options.browser ?? (await launchBrowser(program));
    const context = await browser.newContext({
      viewport: { width: 1500, height: 1000 },
      colorScheme: options.dark ? 'dark' : 'light',
      locale: options.language ?? 'en-US',
    });
    const page = await context.newPage();
    const release = options.browser ? () => context.close() : () => browser.close();
    const editor = new Editor(release, page);
    await page.goto(url, { waitUntil: 'domcontentloaded' });
    if (options.user) {
      await page.fill('#node-dialog-login-username', options.user.username);
      await page.fill('#node-dialog-login-password', options.user.password);
      await page.click('#node-dialog-login-submit');
      await page.waitForSelector('#node-dialog-login-submit', { state: 'detached' });
      // The question who it is was answered with 401.
      editor.errors.length = 0;
    }
    await page.waitForSelector('.red-ui-palette-node[data-palette-type="sensor-ingest"]', {
      state: 'attached',
    });
    await page.waitForSelector('#red-ui-main-container', { state: 'visible' });
    return editor;
  }

  /** The node types shown in the palette. */
  async paletteTypes(): Promise<string[]> {
    return this.page.$$eval('.red-ui-palette-node', (entries) =>
      entries.map((entry) => entry.getAttribute('data-palette-type') ?? ''),
    );
  }

  /** Opens a node's dialog and waits until it stands still. */
  async openDialog(id: string): Promise<void> {
    await this.page.waitForFunction(
      (nodeId) => (globalThis as unknown as EditorGlobal).RED.nodes.node(nodeId),
      id,
    );
    await this.page.evaluate((nodeId) => {
      const { RED } = globalThis as unknown as EditorGlobal;
      const node = RED.nodes.node(nodeId);
      if (node) {
        RED.editor.edit(node);
      }
    }, id);
    await this.settled();
  }

  async openConfigDialog(type: string, id: string): Promise<void> {
    await this.page.evaluate(
      ([nodeType, nodeId]) =>
        (globalThis as unknown as EditorGlobal).RED.editor.editConfig('', nodeType, nodeId),
      [type, id],
    );
    await this.settled();
  }

  async closeDialog(button: 'ok' | 'cancel'): Promise<void> {
    const id = button === 'ok' ? 'node-dialog-ok' : 'node-dialog-cancel';
    const config = button === 'ok' ? 'node-config-dialog-ok' : 'node-config-dialog-cancel';
    await this.page.locator(`#${id}, #${config}`).last().click();
    await this.page.waitForSelector('.red-ui-tray', { state: 'detached' });
  }

  /** The visible text of the open dialog. */
  dialogText(): Promise<string> {
    return this.page.locator('.red-ui-tray').last().innerText();
  }

  /** A node's state as the editor holds it. */
  async node(id: string): Promise<Record<string, unknown>> {
    await this.page.waitForFunction(
      (nodeId) => (globalThis as unknown as EditorGlobal).RED.nodes.node(nodeId),
      id,
    );
    return this.page.evaluate((nodeId) => {
      const node = (globalThis as unknown as EditorGlobal).RED.nodes.node(nodeId) as Record<string, unknown>;
      return Object.fromEntries(
        Object.entries(node).filter(([, value]) => typeof value !== 'function' && JSON_SAFE(value)),
      );
      function JSON_SAFE(value: unknown): boolean {
        return value === null || typeof value !== 'object' || Array.isArray(value);
      }
    }, id);
  }

  async close(): Promise<void> {
    await this.release();
  }

  private async settled(): Promise<void> {
    await this.page.waitForSelector(
      '.red-ui-tray .red-ui-tray-body form, .red-ui-tray .red-ui-tray-body .form-row',
    );
    await this.page.waitForFunction(
      () => {
        const tray = [...document.querySelectorAll('.red-ui-tray')].at(-1);
        const right = tray && getComputedStyle(tray).right;
        const state = globalThis as unknown as { lastTrayRight?: string };
        const still = right !== undefined && right === state.lastTrayRight;
        state.lastTrayRight = right;
        return still;
      },
      undefined,
      { polling: 150 },
    );
  }
}
