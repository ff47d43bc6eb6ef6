import type { Snapshot } from './snapshot';
import { Alerts } from './editor/alerts';
import { Assessment } from './editor/assessment';
import { Card } from './editor/cards';
import { keepInOrder } from './editor/in-order';
import { Levels } from './editor/levels';
import { Machine } from './editor/machine';
import { NodeHistory } from './editor/rates';
import { post } from './editor/requests';
import { useSidebarStyles } from './editor/styles';
import { text } from './editor/texts';
import { Traffic } from './editor/traffic';

const CHANNEL = 'edge/sidebar';
const LOOK_MS = 1000;
const RENEW_MS = 5000;
const LONG_ID = 24;

/** The tab "Edge": every node of the suite at a glance. */
class Sidebar {
  readonly root = $('<div class="edge-sidebar">');
  private readonly empty = $('<p class="edge-note">');
  private readonly traffic = new Traffic();
  private readonly alerts = new Alerts();
  private readonly machine = new Machine();
  private readonly levels = new Levels();
  private readonly assessment = new Assessment();
  private readonly title = $('<div class="edge-gateway">');
  private readonly cardList = $('<div>');
  private readonly moreCards = $('<p class="edge-note">').hide();
  private readonly nodes = $('<div class="edge-cards">');
  private cards = new Map<string, Card>();
  private readonly histories = new Map<string, NodeHistory>();
  private renewedAt = -Infinity;

  constructor() {
    this.empty.text(text('hint.waiting'));
    this.nodes.append($('<h3>').text(text('heading.nodes')), this.cardList, this.moreCards);
    this.root.append(this.title, this.empty, ...this.parts());
    this.parts().forEach((part) => part.hide());
  }

  /** Asks for snapshots while the tab can be seen. */
  look(): void {
    const now = performance.now();
    if (this.root.is(':visible') && !document.hidden && now - this.renewedAt >= RENEW_MS) {
      this.renewedAt = now;
      post('sidebar/watch', {}).catch((thrown: unknown) => {
        this.empty.text(thrown instanceof Error ? thrown.message : String(thrown)).show();
      });
    }
  }

  show(snapshot: Snapshot): void {
    const known = new Set(snapshot.nodes.map(({ id }) => id));
    for (const id of this.histories.keys()) {
      if (!known.has(id)) {
        this.histories.delete(id);
      }
    }
    for (const node of snapshot.nodes) {
      const history = this.histories.get(node.id) ?? new NodeHistory();
      this.histories.set(node.id, history);
      history.add(snapshot.ts, node);
    }
    if (!this.root.is(':visible')) {
      return;
    }
    this.empty.toggle(snapshot.nodes.length === 0).text(text('hint.none'));
    this.title.text(titleOf(snapshot));
    this.alerts.show(snapshot);
    this.traffic.show(snapshot, (id) => this.histories.get(id));
    this.machine.show(snapshot);
    this.levels.show(snapshot);
    this.assessment.show(snapshot);
    this.drawCards(snapshot);
    this.parts().forEach((part) => part.show());
  }

  private parts(): JQuery[] {
    const { alerts, traffic, nodes, levels, machine, assessment } = this;
    return [alerts.root, traffic.root, nodes, levels.root, machine.root, assessment.root];
  }

  /** Cards stay on the page from look to look: somebody may be about to press a button of theirs, or to enter something. */
  private drawCards({ nodes, count, ts }: Snapshot): void {
    const shown = new Map(nodes.map(({ id }) => [id, this.cards.get(id) ?? new Card(id)]));
    this.cards = shown;
    keepInOrder(
      this.cardList,
      [...shown.values()].map(({ root }) => root),
    );
    for (const node of nodes) {
      const history = this.histories.get(node.id);
      if (history) {
        shown.get(node.id)?.show(node, history, ts);
      }
    }
    const more = count - nodes.length;
    this.moreCards.toggle(more > 0).text(text('hint.more', { count: more }));
  }
}

function titleOf({ gateway }: Snapshot): string {
  if (!gateway) {
    return '';
  }
  const { name, gatewayId, site } = gateway;
  // A made-up id is long; its beginning tells gateways apart.
  const id = gatewayId.length > LONG_ID ? text('hint.unnamed', { id: gatewayId.slice(0, 8) }) : gatewayId;
  return [name || id, site].filter(Boolean).join(' · ');
}

RED.plugins.registerPlugin('millwright-edge-sidebar', {
  type: 'edge-sidebar-tab',
  onadd() {
    useSidebarStyles();
    const sidebar = new Sidebar();
    RED.sidebar.addTab({
      ...{ id: 'millwright-edge', name: text('name'), label: text('label.tab') },
      ...{ iconClass: 'fa fa-heartbeat', content: sidebar.root, enableOnEdit: true },
      action: 'millwright:show-edge-tab',
    });
    RED.actions.add('millwright:show-edge-tab', () => RED.sidebar.show('millwright-edge'));
    RED.comms.subscribe(CHANNEL, (_topic, snapshot) => sidebar.show(snapshot as Snapshot));
    setInterval(() => sidebar.look(), LOOK_MS);
  },
});
