import type { Node, NodeAPI, NodeDef } from 'node-red';
import { systemClock, type Clock } from './clock';
import { EdgeError, toEdgeError } from './errors';
import { Figures } from './figures';
import { gatewayOf, type Gateway } from './gateway';
import { emitter, InputHandler, withError, type Emit } from './input-handler';
import { useLog } from './runtime-log';
import type { EdgeMessage } from './messages';
import { systemRandom, type Random } from './random';
import { settingsFor } from './remote-settings';
import { enlist, type Adjustment } from './station';
import { StatusReporter } from './status';

export { withError, type Emit } from './input-handler';

/** What a node is handed when it starts. */
export interface NodeContext {
  RED: NodeAPI;
  id: string;
  /** The node's name, else its id. */
  name: string;
  /** The decrypted credentials; empty texts are left out. */
  credentials: Record<string, string>;
  /** The gateway that the node's `gateway` property names, else the implicit default one. */
  readonly gateway: Gateway;
  clock: Clock;
  random: Random;
  figures: Figures;
  status: StatusReporter;
  /** Sends outside an input handler. */
  emit: Emit;
  /** Sends a message that cannot be served where the contract says: the reject output, else the log and Catch nodes. */
  reject(msg: EdgeMessage, error: EdgeError): void;
  log: { info(text: string): void; warn(text: string): void; error(text: string, msg?: EdgeMessage): void };
}

/** A node at work. Whatever `input` throws or rejects with is handled; the message counts as done when it returns. */
export interface RunningNode<C = unknown> {
  input?(msg: EdgeMessage, emit: Emit): void | Promise<void>;
  close?(removed: boolean): void | Promise<void>;
  /** Goes on with another configuration, which differs in `adjustable` properties only; throws with nothing changed. */
  adjust?(config: C): void | Promise<void>;
  /** What `/edge/status` and the sidebar show beside the figures: plain JSON, bounded, and cheap to make each second. */
  details?(): object | undefined;
  /** Properties that the node offers to others: a config node to the nodes that use it, any node to admin endpoints. */
  expose?: object;
}

/** One node type of the suite. */
export interface EdgeNodeType<C> {
  type: string;
  /** Reads the flow file's properties; throws `CONFIG`. */
  parse(raw: unknown): C;
  start(config: C, context: NodeContext): RunningNode<C>;
  /** Properties of this node that a signed document may set while it runs. */
  adjustable?(definition: object): readonly string[];
  /** The output that takes refused messages, for a node that has one. */
  rejectOutput?: number;
  credentials?: Record<string, { type: 'text' | 'password' }>;
}

/**
 * Registers a node type with the lifecycle that all of them share: a bad configuration, a failing start and a
 * failing message are shown and reported, and none of them stops Node-RED.
 */
export function registerEdgeNode<C>(RED: NodeAPI, nodeType: EdgeNodeType<C>): void {
  useLog(RED.log);
  function construct(this: Node, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const status = new StatusReporter(
      systemClock,
      // Text that begins with a letter is looked up by the editor, in the user's own language; a text with figures
      // in it has to be made here.
      (key, params) => (params ? RED._(`${nodeType.type}.${key}`, params) : `${nodeType.type}.${key}`),
      (shown) => this.status(shown),
    );
    const context = contextOf(RED, nodeType, this, definition, status);
    const adjustment = adjustmentOf(nodeType, definition, () => started);
    const delist = enlistNode(nodeType.type, this, context, adjustment, () => started);
    const started = start(nodeType, this, definition, context);
    const handler = new InputHandler(this, nodeType.rejectOutput);
    this.on('input', (msg, send, done) => handler.serve(started, msg, send, done));
    this.on('close', (removed: boolean, done: () => void) => {
      handler.ended = true;
      status.close();
      delist();
      const closing = async (): Promise<void> => started.close?.(removed);
      closing()
        .catch((thrown: unknown) => this.error(toEdgeError(thrown)))
        .finally(done);
    });
  }
  RED.nodes.registerType(
    nodeType.type,
    construct,
    nodeType.credentials ? { credentials: nodeType.credentials } : {},
  );
}

function start<C>(
  nodeType: EdgeNodeType<C>,
  node: Node,
  definition: NodeDef,
  context: NodeContext,
): RunningNode<C> {
  try {
    const running = nodeType.start(configOf(nodeType, definition, context), context);
    Object.assign(node, running.expose);
    return running;
  } catch (thrown) {
    const error = toEdgeError(thrown, 'CONFIG');
    context.status.set('error', 'status.config');
    node.error(error.message);
    return {
      input: () => {
        throw error;
      },
    };
  }
}

/** The node's configuration with what a document sets over it; without, where that does not fit any more. */
function configOf<C>(nodeType: EdgeNodeType<C>, definition: NodeDef, { log }: NodeContext): C {
  const adjustable = nodeType.adjustable?.(definition) ?? [];
  const set = Object.entries(settingsFor(definition.id, definition.name)).filter(([property]) =>
    adjustable.includes(property),
  );
  if (set.length > 0) {
    try {
      return nodeType.parse({ ...definition, ...Object.fromEntries(set) });
    } catch (thrown) {
      log.warn(`What was configured from remote is not used: ${toEdgeError(thrown).message}`);
    }
  }
  return nodeType.parse(definition);
}

function adjustmentOf<C>(
  nodeType: EdgeNodeType<C>,
  definition: NodeDef,
  running: () => RunningNode<C>,
): Adjustment | undefined {
  const properties = nodeType.adjustable?.(definition);
  if (!properties) {
    return undefined;
  }
  const configWith = (settings: object): C => nodeType.parse({ ...definition, ...settings });
  return {
    properties,
    gatewayNode: (definition as { gateway?: string }).gateway ?? '',
    check: (settings) => void configWith(settings),
    apply: async (settings) => {
      const node = running();
      if (!node.adjust) {
        throw new EdgeError('CONFIG', 'The node does not run. Correct its own configuration first.');
      }
      await node.adjust(configWith(settings));
    },
  };
}

function contextOf<C>(
  RED: NodeAPI,
  nodeType: EdgeNodeType<C>,
  node: Node,
  definition: NodeDef,
  status: StatusReporter,
): NodeContext {
  let gateway: Gateway | undefined;
  const emit = emitter(node, (slots) => node.send(slots));
  return {
    RED,
    id: node.id,
    name: node.name || node.id,
    credentials: credentialsOf(node),
    // Looked up on first use: an edge-gateway must not make the default gateway's identity.
    get gateway() {
      gateway ??= gatewayOf(RED, (definition as { gateway?: string }).gateway ?? '');
      return gateway;
    },
    clock: systemClock,
    random: systemRandom,
    figures: new Figures(),
    status,
    emit,
    reject: (msg, error) => {
      if (nodeType.rejectOutput === undefined) {
        node.error(error, msg);
      } else {
        emit(nodeType.rejectOutput, withError(msg, error, node));
      }
    },
    log: {
      info: (text) => node.log(text),
      warn: (text) => node.warn(text),
      error: (text, msg) => node.error(text, msg),
    },
  };
}

/** Lists a node for `/edge/status`, also one that could not start: that is what somebody looks for there. */
function enlistNode(
  type: string,
  node: Node,
  context: NodeContext,
  adjustment: Adjustment | undefined,
  running: () => Pick<RunningNode, 'details'>,
): () => void {
  return enlist({
    id: node.id,
    type,
    name: node.name ?? '',
    gateway: () => {
      try {
        return context.gateway;
      } catch {
        return undefined;
      }
    },
    figures: context.figures,
    status: () => context.status.current,
    details: () => running().details?.(),
    ...(adjustment && { adjustment }),
  });
}

function credentialsOf(node: Node): Record<string, string> {
  const raw = (node as { credentials?: unknown }).credentials;
  const entries = typeof raw === 'object' && raw !== null ? Object.entries(raw) : [];
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== ''),
  );
}
