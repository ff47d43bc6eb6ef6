import type { ConnectionTest, Outcome } from '../../shared/dialog/connection-test';
import { failureBox, failureOfResponse, type Translate } from '../../shared/editor/failure-box';

/** Works, works as far as can be told, and does not. */
const LEVELS: Partial<Record<Outcome, 'good' | 'unsure'>> = {
  connected: 'good',
  answered: 'good',
  unsure: 'unsure',
  busy: 'unsure',
  shared: 'unsure',
};
/** What the editor shows in place of a password that it does not know. */
const HIDDEN = '__PWRD__';

/** A button that tries a connection as the editor holds it now, and the place where its result is shown. */
export class ConnectionTrial {
  readonly button: JQuery;
  readonly result: JQuery;

  /** @param chosen the config node to try */
  constructor(
    private readonly chosen: () => EditorNode | undefined,
    private readonly translate: Translate,
  ) {
    this.button = $('<button>', {
      type: 'button',
      class: 'red-ui-button red-ui-button-small edge-uplink-test',
      title: translate('test.title'),
    })
      .append(
        $('<i>', { class: 'fa fa-plug', 'aria-hidden': 'true' }),
        ' ',
        $('<span>').text(translate('test.button')),
      )
      .on('click', () => this.run());
    this.result = $('<div>', { class: 'edge-uplink-result', role: 'status' }).hide();
  }

  clear(): void {
    this.result.empty().hide();
  }

  private run(): void {
    const config = this.chosen();
    if (!config) {
      return;
    }
    // One at a time, in all rows.
    const buttons = $('.edge-uplink-test').prop('disabled', true);
    this.result
      .empty()
      .show()
      .append($('<i>', { class: 'fa fa-spinner fa-spin' }), ' ', this.translate('test.busy'));
    $.ajax({
      url: `edge/${config.type}/test`,
      method: 'POST',
      contentType: 'application/json',
      data: JSON.stringify({
        node: config.id,
        properties: propertiesOf(config),
        credentials: typedCredentials(config),
      }),
    })
      .always(() => buttons.prop('disabled', false))
      .done((answer: ConnectionTest) => this.show(answer, config.type))
      .fail((response) =>
        this.result.empty().append(
          failureBox(
            failureOfResponse(response, 'TEST', (key, parameters) =>
              this.translate(`request.${key}`, parameters),
            ),
            this.translate,
          ),
        ),
      );
  }

  private show({ outcome, server, ms, detail, credentials }: ConnectionTest, type: string): void {
    const level = LEVELS[outcome] ?? 'bad';
    const icon = { good: 'fa-check-circle', unsure: 'fa-question-circle', bad: 'fa-times-circle' }[level];
    const withheld = credentials === 'withheld' ? [$('<div>').text(this.translate('test.withheld'))] : [];
    const said = detail && level !== 'good' ? [$('<div>', { class: 'edge-uplink-note' }).text(detail)] : [];
    const isDone = level !== 'bad' && outcome !== 'shared';
    const what = isDone
      ? [$('<div>', { class: 'edge-uplink-note' }).text(this.translate(`test.what.${type}`))]
      : [];
    this.result
      .empty()
      .show()
      .append(
        $('<i>', { class: `fa ${icon} edge-uplink-${level}`, 'aria-hidden': 'true' }),
        $('<div>').append(
          $('<strong>').text(this.translate(`test.level.${level}`)),
          ' ',
          $('<span>').text(this.translate(`test.outcome.${outcome}`, { server, ms })),
          ...said,
          ...withheld,
          ...what,
        ),
      );
  }
}

function propertiesOf(config: EditorNode): Record<string, unknown> {
  const names = Object.keys(RED.nodes.getType(config.type)?.defaults ?? {});
  return Object.fromEntries(names.map((name) => [name, config[name]]));
}

/**
 * What was typed into the connection's own dialog and is not deployed yet; what the editor merely fetched from the
 * gateway is left to the gateway, which knows where it may go.
 */
function typedCredentials(config: EditorNode): Record<string, string> {
  const held = (config.credentials ?? {}) as Record<string, unknown>;
  const fetched = (held._ ?? {}) as Record<string, unknown>;
  const typed: Record<string, string> = {};
  for (const name of Object.keys(RED.nodes.getType(config.type)?.credentials ?? {})) {
    const value = held[name];
    if (typeof value === 'string' && value !== HIDDEN && value !== fetched[name]) {
      typed[name] = value;
    } else if (held[`has_${name}`] === false && fetched[`has_${name}`] === true) {
      typed[name] = '';
    }
  }
  return typed;
}
