import { failureBox, failureOfResponse, type Translate } from '../../shared/editor/failure-box';
import { valueOf } from '../../shared/editor/forms';
import { Poller } from '../../shared/editor/poller';
import { table } from '../../shared/editor/table';
import type { KeyView, PeerView, StateAnswer } from '../live/result';

const STATE = '#crdt-state-live-state';
const FAILURE = '#crdt-state-live-failure';
const VIEW = '#crdt-state-live-view';
const FIND = '#crdt-state-find';
const POLL_MS = 2000;
/** How long the field must have been at rest. */
const REST_MS = 300;

/** The dialog's live view of the running node: its keys, and what its peers know. */
export class StatePanel {
  private readonly poller: Poller<StateAnswer>;

  constructor(
    id: string,
    private readonly translate: Translate,
  ) {
    $(VIEW).hide();
    this.poller = new Poller<StateAnswer>(
      POLL_MS,
      () =>
        $.ajax({
          url: `edge/crdt-state/${encodeURIComponent(id)}/state`,
          data: { find: valueOf(FIND) },
        }),
      (answer) => this.show(answer),
      (response) => this.refused(response),
    );
    $(FIND).on('input change', (event) => {
      // It is no property of the node.
      event.stopPropagation();
      this.poller.again(REST_MS);
    });
  }

  /** Begins or ceases to look, as the section is opened or folded. */
  toggled(open: boolean): void {
    if (open) {
      this.poller.start();
    } else {
      this.poller.stop();
    }
  }

  /** Ends everything; the dialog is closing. */
  stop(): void {
    this.poller.stop();
  }

  private show({ keys, pending, peers, morePeers, page, more }: StateAnswer): void {
    const { translate } = this;
    $(STATE).hide();
    $(FAILURE).empty();
    $(VIEW).show();
    $('#crdt-state-summary').text(
      translate('live.summary', { keys, peers: peers.length + morePeers, pending }),
    );
    $('#crdt-state-peers')
      .empty()
      .append(
        peers.length > 0
          ? this.peerTable(peers, morePeers)
          : $('<div class="edge-note">').text(translate('live.noPeers')),
      );
    const none = valueOf(FIND) === '' ? 'live.noKeys' : 'live.notFound';
    $('#crdt-state-keys')
      .empty()
      .append(page.length > 0 ? this.keyTable(page) : $('<div class="edge-note">').text(translate(none)));
    $('#crdt-state-more-keys').toggle(more);
  }

  private peerTable(peers: PeerView[], more: number): JQuery {
    const { translate } = this;
    return table(
      [
        { title: translate('live.peer'), cell: ({ gateway }) => gateway },
        { title: translate('live.heard'), cell: (peer) => this.heard(peer), width: '34%' },
        {
          title: translate('live.lacks'),
          cell: ({ lacks }) => String(lacks),
          whole: () => translate('live.lacksWhole'),
          isNumber: true,
          width: '17%',
        },
        {
          title: translate('live.ahead'),
          cell: ({ ahead }) => String(ahead),
          whole: () => translate('live.aheadWhole'),
          isNumber: true,
          width: '17%',
        },
      ],
      peers,
      peers.length + more,
      (count) => translate('live.morePeers', { count }),
    );
  }

  private heard({ present, silentMs, disagrees }: PeerView): JQuery {
    const { translate } = this;
    const seconds = silentMs === null ? null : Math.round(silentMs / 1000);
    const text = present
      ? translate('live.present')
      : seconds === null
        ? translate('live.never')
        : translate('live.silent', { seconds });
    const dot = $('<i class="fa fa-circle crdt-state-dot">')
      .attr('aria-hidden', 'true')
      .toggleClass('crdt-state-here', present && !disagrees)
      .toggleClass('crdt-state-disagrees', disagrees);
    return $('<span>').append(dot, document.createTextNode(disagrees ? translate('live.disagrees') : text));
  }

  private keyTable(page: KeyView[]): JQuery {
    const { translate } = this;
    return table(
      [
        { title: translate('live.key'), cell: ({ key }) => key },
        { title: translate('live.value'), cell: (row) => valueCell(row, translate), width: '42%' },
        {
          title: translate('label.strategy'),
          cell: ({ strategy }) => translate(`strategy.${strategy}`),
          width: '24%',
        },
      ],
      page,
      page.length,
      () => '',
    );
  }

  /** Goes on asking: the node may run again soon. */
  private refused(response: JQuery.jqXHR): boolean {
    $(VIEW).hide();
    $(FAILURE).empty();
    const failure = failureOfResponse(response, 'LIVE', (key, parameters) =>
      this.translate(`request.${key}`, parameters),
    );
    $(STATE)
      .toggle(failure.code === 'NOT_FOUND')
      .text(this.translate('live.notDeployed'));
    if (failure.code !== 'NOT_FOUND') {
      $(FAILURE).append(failureBox(failure, this.translate));
    }
    return true;
  }
}

function valueCell({ value, siblings }: KeyView, translate: Translate): JQuery {
  const cell = $('<span>').append($('<code class="crdt-state-value">').text(value).attr('title', value));
  if (siblings.length > 0) {
    const whole = siblings
      .map((sibling) => `${sibling.gateway}: ${sibling.value} (${new Date(sibling.ts).toLocaleString()})`)
      .join('\n');
    const list = $('<div class="crdt-state-siblings">').attr('title', whole);
    list.append($('<span>').text(translate('live.siblings')));
    for (const sibling of siblings) {
      list.append(
        $('<div>').append($('<code>').text(sibling.value), document.createTextNode(` ${sibling.gateway}`)),
      );
    }
    cell.append(list);
  }
  return cell;
}
