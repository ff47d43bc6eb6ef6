import type { Translate } from '../../shared/editor/failure-box';
import { foldable } from '../../shared/editor/forms';
import { Poller } from '../../shared/editor/poller';
import type { ConnectionAnswer } from '../connection-endpoint';
import { ActivityPanel } from './activity-panel';
import { ConnectionList } from './connection-list';
import { DeadLetterPanel } from './dead-letter-panel';
import { LeftBehindPanel } from './left-behind';

const POLL_MS = 2000;

/** What of the dialog lives while it is open. */
export class UplinkDialog {
  private readonly list: ConnectionList;
  private readonly states: Poller<ConnectionAnswer>;
  private readonly activity: ActivityPanel;
  private readonly deadLetters: DeadLetterPanel;
  private readonly leftBehind: LeftBehindPanel;

  constructor(node: EditorNode, connections: readonly string[]) {
    const translate: Translate = (key, parameters) => node._(`resilient-uplink.${key}`, parameters);
    this.list = new ConnectionList(translate, connections);
    this.states = new Poller<ConnectionAnswer>(
      POLL_MS,
      () => $.ajax({ url: `edge/resilient-uplink/${encodeURIComponent(node.id)}/connections` }),
      ({ connections }) => {
        this.list.show(connections ?? undefined);
        if (!connections) {
          // One that is not deployed cannot become so while the dialog is open.
          this.states.stop();
        }
      },
      ({ status }) => {
        this.list.show(undefined);
        // Nor can a person get more rights.
        return ![401, 403].includes(status);
      },
    );
    this.activity = new ActivityPanel(node.id, translate);
    this.deadLetters = new DeadLetterPanel(node.id, translate);
    this.leftBehind = new LeftBehindPanel(node);
    foldable('#uplink-activity-heading', '#uplink-activity', false, (open) => this.activity.toggled(open));
    foldable('#uplink-dead-letters-heading', '#uplink-dead-letters', false, (open) =>
      this.deadLetters.toggled(open),
    );
    this.states.start();
  }

  /** The ids of the connections in the order of the list. */
  connections(): string[] {
    return this.list.chosen();
  }

  resized(): void {
    this.activity.resized();
  }

  /** Asks nothing more; the dialog is closing. */
  stop(): void {
    this.states.stop();
    this.activity.stop();
    this.deadLetters.stop();
    this.leftBehind.stop();
  }
}
