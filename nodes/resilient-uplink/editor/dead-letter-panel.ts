import { failureBox, failureOfResponse, type Translate } from '../../shared/editor/failure-box';
import { shownBytes, shownTime } from '../../shared/editor/figures';
import { Poller } from '../../shared/editor/poller';
import { table, type Column } from '../../shared/editor/table';
import { button } from './connection-list';
import { exportDeadLetters, type ListedLetter, type LetterPage } from './dead-letter-export';

const STATE = '#uplink-dead-letters-state';
const LIST = '#uplink-dead-letters-list';
const BUTTONS = '#uplink-dead-letters-buttons';
const POLL_MS = 3000;
const DONE = '#uplink-dead-letters-done';

/** The messages that were refused for good: to read, to take away, and to send once more. */
export class DeadLetterPanel {
  private readonly poller: Poller<LetterPage>;
  /** What the table shows; it is left alone while nothing changes, as somebody may be in it. */
  private shown = '';

  constructor(
    private readonly id: string,
    private readonly translate: Translate,
  ) {
    $(BUTTONS).hide();
    $('#uplink-requeue-all').on('click', () => this.requeue({}));
    $('#uplink-export').on('click', () => this.export());
    this.poller = new Poller<LetterPage>(
      POLL_MS,
      () => $.ajax({ url: `${this.url}/dead-letters`, data: { preview: true } }),
      (page) => this.show(page),
      (response) => this.refused(response),
    );
  }

  /** Begins or ceases to look, as the section is opened or folded. */
  toggled(open: boolean): void {
    if (open) {
      $(DONE).text('');
      this.poller.start();
    } else {
      this.poller.stop();
    }
  }

  stop(): void {
    this.poller.stop();
  }

  private get url(): string {
    return `edge/resilient-uplink/${encodeURIComponent(this.id)}`;
  }

  private show(page: LetterPage): void {
    const shown = JSON.stringify(page);
    if (shown === this.shown) {
      return;
    }
    this.shown = shown;
    const { messages, bytes, deadLetters } = page;
    $(STATE)
      .empty()
      .text(
        messages === 0
          ? this.translate('deadLetters.none')
          : this.translate('deadLetters.count', { count: messages, size: shownBytes(bytes) }),
      );
    $(BUTTONS).toggle(messages > 0);
    const list = $(LIST).empty();
    if (deadLetters.length > 0) {
      list.append(
        table(this.columns(), deadLetters, messages, (count) =>
          this.translate('deadLetters.more', { count }),
        ),
      );
    }
  }

  private columns(): Column<ListedLetter>[] {
    const title = (key: string): string => this.translate(`deadLetters.${key}`);
    return [
      {
        title: title('when'),
        cell: ({ when }) => shortMoment(when),
        whole: ({ when }) => shownTime(when),
        width: '13%',
      },
      { title: title('topic'), cell: ({ topic }) => topic, width: '17%' },
      {
        title: title('reason'),
        cell: ({ reason }) => reason,
        whole: ({ reason, connection }) => `${connection}: ${reason}`,
      },
      { title: title('size'), cell: ({ size }) => shownBytes(size), isNumber: true, width: '9%' },
      { title: title('preview'), cell: ({ preview }) => preview ?? '', width: '17%' },
      {
        title: '',
        cell: ({ id, topic }) =>
          button('fa-repeat', this.translate('deadLetters.requeueOne', { topic })).on('click', () =>
            this.requeue({ ids: [id] }),
          ),
        width: '24px',
      },
    ];
  }

  private requeue(selection: { ids?: string[] }): void {
    const buttons = $(`${LIST} button, ${BUTTONS} button`).prop('disabled', true);
    $.ajax({
      url: `${this.url}/requeue`,
      method: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(selection),
    })
      .always(() => buttons.prop('disabled', false))
      .done(({ requeued }: { requeued: number }) => {
        $(DONE).text(this.translate('deadLetters.requeued', { count: requeued }));
        this.poller.again();
      })
      .fail((response) => this.refused(response));
  }

  private export(): void {
    const button = $('#uplink-export').prop('disabled', true);
    exportDeadLetters(this.url, this.id)
      .then(
        (count) => $(DONE).text(this.translate('deadLetters.exported', { count })),
        (response: unknown) => this.refused(response as JQuery.jqXHR),
      )
      .finally(() => button.prop('disabled', false));
  }

  /** Gives whether it is worth asking again. */
  private refused(response: JQuery.jqXHR): boolean {
    const failure = failureOfResponse(response, 'DEAD_LETTERS', (key, parameters) =>
      this.translate(`request.${key}`, parameters),
    );
    this.shown = '';
    $(STATE).empty();
    if (failure.code === 'NOT_FOUND') {
      $(BUTTONS).hide();
      $(STATE).text(this.translate('notDeployed'));
    } else {
      $(STATE).append(failureBox(failure, this.translate));
    }
    return ![401, 403, 404].includes(response.status);
  }
}

/** The time of today, the date of any other day. */
function shortMoment(ts: number): string {
  const date = new Date(ts);
  return date.toDateString() === new Date().toDateString()
    ? date.toLocaleTimeString(undefined, { hour: 'numeric', minute: '2-digit' })
    : date.toLocaleDateString(undefined, { month: 'short', day: 'numeric' });
}
