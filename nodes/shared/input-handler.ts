import type { Node } from 'node-red';
import { EdgeError, toEdgeError } from './errors';
import { hold, lose } from './in-flight';
import type { EdgeMessage, MessageError } from './messages';

/** Sends a message out of one output, counted from 0. */
export type Emit = (output: number, msg: EdgeMessage) => void;

type Send = (slots: (EdgeMessage | null)[]) => void;
type Done = (error?: Error) => void;

/**
 * Hands a node its messages, one after the other, and tells Node-RED what came of each: a failing one stops nothing. It
 * runs on every message, so what only a few need is made only for those.
 */
export class InputHandler {
  /** Whether the node was closed: what it then fails at is not refused, but lost. */
  ended = false;

  /** @param rejectOutput the output that takes refused messages; undefined where Catch nodes take them */
  constructor(
    private readonly node: Node,
    private readonly rejectOutput: number | undefined,
  ) {}

  serve(
    running: { input?(msg: EdgeMessage, emit: Emit): void | Promise<void> },
    msg: EdgeMessage,
    send: Send,
    done: Done,
  ): void {
    // A frozen message is served as a copy: results are written into it after the node's state has changed.
    const message = Object.isExtensible(msg) ? msg : { ...msg };
    const emit = emitter(this.node, send);
    let result: void | Promise<void>;
    try {
      result = running.input?.(message, emit);
    } catch (thrown) {
      this.fail(thrown, message, emit, done);
      return;
    }
    if (result instanceof Promise) {
      void this.settle(result, message, emit, done);
    } else {
      this.finish(message, done);
    }
  }

  private async settle(work: Promise<void>, message: EdgeMessage, emit: Emit, done: Done): Promise<void> {
    const release = hold(message._msgid);
    try {
      let failure: EdgeError | undefined;
      try {
        await work;
      } catch (thrown) {
        failure = toEdgeError(thrown);
      }
      if (!failure) {
        this.finish(message, done);
        return;
      }
      if (this.ended) {
        lose(message._msgid);
      }
      this.fail(failure, message, emit, done);
    } catch (thrown) {
      this.node.error(toEdgeError(thrown));
    } finally {
      release();
    }
  }

  private fail(thrown: unknown, message: EdgeMessage, emit: Emit, done: Done): void {
    const error = toEdgeError(thrown);
    if (this.rejectOutput === undefined) {
      this.finish(message, done, error);
      return;
    }
    try {
      emit(this.rejectOutput, withError(message, error, this.node));
    } catch {
      this.finish(message, done, error);
      return;
    }
    this.finish(message, done);
  }

  /**
   * Node-RED copies a message for Catch and Complete nodes, which fails for one that is nested too deep or has a getter
   * that throws. Thrown on from here, it would end the process.
   */
  private finish(message: EdgeMessage, done: Done, error?: EdgeError): void {
    try {
      done(error);
    } catch (thrown) {
      if (error) {
        this.node.error(error, { _msgid: message._msgid });
      } else {
        this.node.warn(`Complete nodes cannot be told of a message: ${toEdgeError(thrown).message}`);
      }
    }
  }
}

/** The message with the error that it was refused for; its payload stays as it came. */
export function withError(
  msg: EdgeMessage,
  error: EdgeError,
  node: { id: string; type: string; name?: string },
): EdgeMessage {
  const carried: MessageError = {
    message: error.message,
    code: error.code,
    source: { id: node.id, type: node.type, name: node.name ?? '' },
  };
  if (error.details) {
    carried.details = error.details;
  }
  msg.error = carried;
  return msg;
}

/** Node-RED copies a message that goes to several wires; what it cannot copy is reported, as the sender can do nothing. */
export function emitter(node: Node, send: Send): Emit {
  return (output, msg) => {
    if (!isWired(node, output)) {
      return;
    }
    try {
      send(at(output, msg));
    } catch (thrown) {
      const reason = toEdgeError(thrown).message;
      node.error(
        new EdgeError(
          'INTERNAL',
          `A message of output ${output + 1} cannot be copied for all its wires: ${reason}. Send plain values, not nested deeply.`,
        ),
        { _msgid: msg._msgid },
      );
    }
  };
}

/** Node-RED makes an id and a list of deliveries also for a message that goes nowhere, as most of a detector's do. */
function isWired(node: Node, output: number): boolean {
  const { wires } = node as { wires?: (readonly string[] | undefined)[] };
  return !wires || (wires[output]?.length ?? 0) > 0;
}

function at(output: number, msg: EdgeMessage): (EdgeMessage | null)[] {
  switch (output) {
    case 0:
      return [msg];
    case 1:
      return [null, msg];
    default:
      return [...new Array<null>(output).fill(null), msg];
  }
}
