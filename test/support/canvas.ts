import type { Page } from 'playwright-core';

/** Node-RED's canvas as a person uses it: by mouse and keyboard, seeing what is shown. */
export class Canvas {
  constructor(private readonly page: Page) {}

  /** Drags a type from the palette to a place on the canvas; gives the id of the new node. */
  async drop(type: string, x: number, y: number): Promise<string> {
    const before = await this.ids();
    const entry = this.page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
    await entry.scrollIntoViewIfNeeded();
    await entry.dragTo(this.page.locator('#red-ui-workspace-chart'), { targetPosition: { x, y } });
    await this.page.waitForFunction(
      (count) => document.querySelectorAll('g.red-ui-flow-node-group').length > count,
      before.length,
    );
    const id = (await this.ids()).find((one) => !before.includes(one));
    if (id === undefined) {
      throw new Error(`${type} was not added`);
    }
    return id;
  }

  /** Opens a node's dialog with a double click. */
  async open(id: string): Promise<void> {
    // The notice of a deployment would lie over the upper part of the canvas.
    await this.page.locator('.red-ui-notification').waitFor({ state: 'detached' });
    await this.page.locator(`g[id="${id}"] .red-ui-flow-node`).first().dblclick();
    await this.standsStill();
  }

  /** Enters a value and leaves the field, as the editor checks it only then. */
  async enter(field: string, value: string): Promise<void> {
    const element = this.page.locator(field);
    const tag = await element.evaluate((input) => `${input.tagName} ${input.getAttribute('type') ?? ''}`);
    if (tag.startsWith('SELECT')) {
      await element.selectOption(value);
    } else {
      await element.fill(value);
      await element.press('Tab');
    }
  }

  /** What the editor says about a field that it has marked as wrong. */
  async complaint(field: string): Promise<string> {
    await this.page.locator(`${field}.input-error`).waitFor();
    await this.page.hover(field);
    const popover = this.page.locator('.red-ui-popover:visible');
    await popover.first().waitFor();
    const text = await popover.first().innerText();
    await this.page.mouse.move(2, 2);
    await popover.first().waitFor({ state: 'detached' });
    return text;
  }

  /** Closes the dialog that is on top. */
  async done(): Promise<void> {
    const button = await this.page.locator('#node-dialog-ok, #node-config-dialog-ok').last().elementHandle();
    await button.click();
    await button.waitForElementState('hidden');
    await this.standsStill();
  }

  /** Waits until dialogs no longer slide in or out. */
  async standsStill(): Promise<void> {
    await this.page.waitForFunction(
      () => {
        const state = globalThis as unknown as { lastTrays?: string };
        const trays = [...document.querySelectorAll('.red-ui-tray')]
          .map((tray) => JSON.stringify(tray.getBoundingClientRect()))
          .join();
        const still = trays === state.lastTrays;
        state.lastTrays = trays;
        return still;
      },
      undefined,
      { polling: 150 },
    );
  }

  /** Draws a wire from an output to another node's input. */
  async wire(from: string, output: number, to: string): Promise<void> {
    const start = await this.page
      .locator(`g[id="${from}"] .red-ui-flow-port-output .red-ui-flow-port`)
      .nth(output)
      .boundingBox();
    const end = await this.page
      .locator(`g[id="${to}"] .red-ui-flow-port-input .red-ui-flow-port`)
      .boundingBox();
    if (!start || !end) {
      throw new Error(`${from} or ${to} has no such port`);
    }
    await this.page.mouse.move(start.x + start.width / 2, start.y + start.height / 2);
    await this.page.mouse.down();
    await this.page.mouse.move(end.x + end.width / 2, end.y + end.height / 2, { steps: 8 });
    await this.page.mouse.up();
  }

  /** Whether a node wears the triangle of a wrong configuration. */
  async isMarked(id: string): Promise<boolean> {
    return this.page.locator(`g[id="${id}"] .red-ui-flow-node-error:not(.hide)`).isVisible();
  }

  /** Deploys and waits for the editor's word that it is done. */
  async deploy(): Promise<void> {
    await this.page.click('#red-ui-header-button-deploy');
    await this.page.locator('.red-ui-notification-success').waitFor();
  }

  /** Waits until a node shows a status under itself. */
  async shows(id: string, text: RegExp): Promise<void> {
    await this.page
      .locator(`g[id="${id}"] .red-ui-flow-node-status-label`)
      .filter({ hasText: text })
      .waitFor({ timeout: 30_000 });
  }

  private ids(): Promise<string[]> {
    return this.page.$$eval('g.red-ui-flow-node-group', (nodes) => nodes.map(({ id }) => id));
  }
}
