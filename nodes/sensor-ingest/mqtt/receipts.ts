/**
 * Messages of QoS 2 that came and that the broker has not released yet. Until then one that comes under the same number
 * is the same one (MQTT 5, 4.3.3), also in the next connection of the session.
 */
export class Receipts {
  private readonly unreleased = new Map<number, { settled: boolean }>();

  /** @param confirm tells the broker that a message was received, where there is a connection */
  constructor(private readonly confirm: (messageId: number) => void) {}

  /** Whether a message has come before; it is confirmed again if it was. */
  isKnown(messageId: number): boolean {
    const receipt = this.unreleased.get(messageId);
    if (receipt?.settled) {
      this.confirm(messageId);
    }
    return receipt !== undefined;
  }

  /** Notes a new message; returns what to call when the flow has done with it, or has lost it. */
  begin(messageId: number): { settle: () => void; lose: () => void } {
    const receipt = { settled: false };
    this.unreleased.set(messageId, receipt);
    const isCurrent = (): boolean => this.unreleased.get(messageId) === receipt;
    return {
      settle: () => {
        receipt.settled = true;
        if (isCurrent()) {
          this.confirm(messageId);
        }
      },
      lose: () => {
        if (isCurrent()) {
          this.unreleased.delete(messageId);
        }
      },
    };
  }

  /** The broker has released a message: its number is free. */
  release(messageId: number): void {
    this.unreleased.delete(messageId);
  }

  /** Another session begins, in which no number means anything. */
  clear(): void {
    this.unreleased.clear();
  }
}
