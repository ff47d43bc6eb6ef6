import type { LeftBehind } from '../../shared/left-behind';
import { failureBox, failureOfResponse } from '../../shared/editor/failure-box';
import { useDialogStyles } from '../../shared/editor/styles';
import { table } from '../../shared/editor/table';

const SECTION = '#edge-uplink-left';
const VIEW = '#edge-uplink-left-view';
const STATE = '#edge-uplink-left-state';
/** More than anybody would look through. */
const MOST_SHOWN = 50;

/**
 * The dialog's section on outboxes that no node owns: the running node can take over what is in them, and it can be
 * downloaded. It is hidden while there is nothing, and from whoever may not see it.
 */
export class LeftBehindPanel {
  private underWay: JQuery.jqXHR | undefined;
  private closed = false;

  constructor(private readonly node: EditorNode) {
    useDialogStyles();
    $(SECTION).hide();
    this.look();
  }

  /** Ends everything; the dialog is closing. */
  stop(): void {
    this.closed = true;
    this.underWay?.abort();
  }

  private text(key: string, parameters?: Record<string, unknown>): string {
    return this.node._(`resilient-uplink.left.${key}`, parameters);
  }

  private look(): void {
    this.underWay = $.ajax({ url: 'edge/uplink-stores' });
    this.underWay
      .done(({ stores }: { stores: LeftBehind[] }) => {
        if (!this.closed) {
          this.show(stores);
        }
      })
      .fail(() => {
        // Who may not look, or has no gateway to ask, is shown nothing.
      });
  }

  private show(stores: readonly LeftBehind[]): void {
    const shown = stores.slice(0, MOST_SHOWN);
    $(VIEW)
      .empty()
      .append(
        table<LeftBehind>(
          [
            { title: this.text('node'), cell: ({ node }) => node, whole: ({ file }) => file },
            {
              title: this.text('messages'),
              cell: ({ messages }) => String(messages),
              isNumber: true,
              width: '80px',
            },
            {
              title: this.text('deadLetters'),
              cell: ({ deadLetters }) => String(deadLetters),
              isNumber: true,
              width: '90px',
            },
            {
              title: this.text('oldest'),
              cell: ({ oldestMs, problem }) =>
                problem ?? (oldestMs === null ? '' : new Date(oldestMs).toLocaleString()),
            },
            { title: '', cell: (store) => this.buttons(store), width: '140px' },
          ],
          shown,
          stores.length,
          (count) => this.text('more', { count }),
        ),
      );
    $(SECTION).toggle(stores.length > 0 || $(STATE).children().length > 0);
    $(VIEW).toggle(stores.length > 0);
  }

  private buttons(store: LeftBehind): JQuery {
    const button = (key: string, work: () => void): JQuery =>
      $('<button type="button" class="red-ui-button red-ui-button-small">')
        .text(this.text(key))
        .attr('aria-label', `${this.text(key)}: ${store.node}`)
        .css({ marginRight: '4px' })
        .on('click', work);
    return $('<span>').append(
      button('adopt', () => this.adopt(store)),
      button('export', () => this.download(store)),
    );
  }

  private adopt({ file, messages }: LeftBehind): void {
    $.ajax({
      url: `edge/resilient-uplink/${encodeURIComponent(this.node.id)}/adopt`,
      method: 'POST',
      contentType: 'application/json',
      // What was refused for good goes along only where there is nothing else.
      data: JSON.stringify({ store: file, deadLetters: messages === 0 }),
    })
      .done(({ adopted }: { adopted: LeftBehind }) => {
        const { messages: count, deadLetters } = adopted;
        this.say(
          $('<div>', { class: 'edge-note', role: 'status' }).text(
            this.text('adopted', { count, deadLetters }),
          ),
        );
        this.look();
      })
      .fail((response: JQuery.jqXHR) => this.fail(response));
  }

  private download({ file, store }: LeftBehind): void {
    $.ajax({
      url: 'edge/uplink-stores/export',
      data: { store: file },
      xhrFields: { responseType: 'blob' },
    })
      .done((content: Blob) => {
        const url = URL.createObjectURL(content);
        $('<a>', { href: url, download: `outbox-${store}.ndjson` })[0].click();
        URL.revokeObjectURL(url);
      })
      .fail((response: JQuery.jqXHR) => this.fail(response));
  }

  private fail(response: JQuery.jqXHR): void {
    this.say(
      failureBox(
        failureOfResponse(response, 'LEFT_BEHIND', (key, values) => this.text(key, values)),
        (key) => key,
      ),
    );
  }

  private say(what: JQuery): void {
    if (!this.closed) {
      $(STATE).empty().append(what);
    }
  }
}
