import { shownBytes, shownNumber } from '../../nodes/shared/editor/figures';
import type { JobState, Summary } from '../assessment/summary';
import type { Snapshot } from '../snapshot';
import { forThoseWhoMay } from './actions';
import { numberEntry } from './entry';
import { keepPreferences, preferences } from './preferences';
import { complain, loadPage, post } from './requests';
import { text } from './texts';

/** What is asked for here, with the defaults of `millwright-assess`; the page lists all assumptions. */
const ASKED = { downtimePerHour: 0, failuresPerYear: 4, catchRate: 50, gatewayCost: 1500 } as const;
/** A page that was opened is let go of after so long. */
const PAGE_MS = 60_000;

/** Records what one `sensor-ingest` receives for some minutes and shows what that means. */
export class Assessment {
  readonly root = $('<section class="edge-part edge-assessment">');
  private readonly node = $('<select id="edge-sidebar-assess-node">');
  private readonly button = $('<button type="button" class="red-ui-button red-ui-button-small">');
  private readonly progress = $('<progress max="1">').attr('aria-label', text('assessment.recording'));
  private readonly note = $('<p class="edge-note" role="status">');
  private readonly facts = $('<dl class="edge-machine">');
  private readonly report = $('<button type="button" class="red-ui-button red-ui-button-small">');
  private shownNodes = '';
  private shownFacts = '';
  private phase: JobState['phase'] = 'idle';

  constructor() {
    const minutes = numberEntry(
      'edge-sidebar-assess-minutes',
      text('label.minutes'),
      preferences().minutes,
      (entered) => {
        keepPreferences({ minutes: entered });
        this.nameButton();
      },
    );
    const entries = Object.entries(ASKED).map(([name, fallback]) => {
      const { root } = numberEntry(
        `edge-sidebar-assess-${name}`,
        text(`label.${name}`),
        preferences().assumed[name],
        (entered) => keepPreferences({ assumed: { ...preferences().assumed, [name]: entered } }),
        fallback,
      );
      return root;
    });
    this.root.append(
      $('<h3>').text(text('heading.assessment')),
      $('<p class="edge-note">').text(text('assessment.about')),
      $('<div class="edge-entry">').append(
        $('<label for="edge-sidebar-assess-node">').text(text('label.node')),
        this.node,
      ),
      minutes.root,
      ...entries,
      $('<div class="edge-actions">').append(this.button, this.report.text(text('assessment.report'))),
      this.progress.hide(),
      this.note,
      this.facts,
    );
    this.nameButton();
    this.report.hide().on('click', () => void openReport().catch(complain));
    this.button.on('click', () => {
      const work = this.phase === 'capturing' ? post('sidebar/assessment/stop', {}) : this.start();
      work.catch(complain);
    });
  }

  show({ nodes, assessment, ts }: Snapshot): void {
    this.offer(nodes.filter(({ type }) => type === 'sensor-ingest'));
    this.phase = assessment.phase;
    this.nameButton();
    const isCapturing = assessment.phase === 'capturing';
    this.progress.toggle(isCapturing);
    if (isCapturing) {
      const { began, ends } = assessment;
      this.progress.val(Math.min(1, Math.max(0, (ts - began) / (ends - began))));
    }
    this.note.text(noteOf(assessment, ts));
    this.report.toggle(assessment.phase === 'ready');
    this.showFacts(assessment.phase === 'ready' ? assessment.summary : undefined);
  }

  private start(): Promise<void> {
    const { minutes, assumed, pricePerGb } = preferences();
    const given = Object.fromEntries(Object.keys(ASKED).map((name) => [name, assumed[name]]));
    return post('sidebar/assessment', {
      ...{ node: String(this.node.val() ?? ''), minutes },
      given: { pricePerGb, ...given },
    });
  }

  private nameButton(): void {
    const { phase } = this;
    this.button
      .text(
        phase === 'capturing'
          ? text('assessment.stop')
          : text('assessment.capture', { minutes: shownNumber(preferences().minutes, 3) }),
      )
      .prop('disabled', phase === 'working' || (phase !== 'capturing' && !this.node.val()));
    forThoseWhoMay(this.button);
  }

  private offer(ingests: Snapshot['nodes']): void {
    const next = JSON.stringify(ingests.map(({ id, name }) => [id, name]));
    if (next === this.shownNodes) {
      return;
    }
    this.shownNodes = next;
    const chosen = this.node.val();
    this.node.empty().append(
      ...ingests.map(({ id, name }) =>
        $('<option>')
          .val(id)
          .text(name || id),
      ),
    );
    if (ingests.some(({ id }) => id === chosen)) {
      this.node.val(String(chosen));
    }
  }

  private showFacts(summary: Summary | undefined): void {
    const next = JSON.stringify(summary ?? null);
    if (next === this.shownFacts) {
      return;
    }
    this.shownFacts = next;
    this.facts.empty();
    for (const [key, value, bad] of summary ? factsOf(summary) : []) {
      this.facts.append(
        $('<dt>').text(text(`assessment.${key}`)),
        $('<dd>').text(value).toggleClass('edge-bad', bad),
      );
    }
  }
}

function noteOf(state: JobState, ts: number): string {
  switch (state.phase) {
    case 'idle':
      return '';
    case 'capturing': {
      const { messages, leftOut } = state;
      const seconds = Math.max(0, Math.round((state.ends - ts) / 1000));
      return leftOut > 0
        ? text('assessment.progress-left-out', { messages, seconds, leftOut })
        : text('assessment.progress', { messages, seconds });
    }
    case 'working':
      return text('assessment.working');
    case 'failed':
      return state.message;
    case 'ready':
      return text(state.summary.downtimeCounted ? 'assessment.of' : 'assessment.of-without-downtime', {
        origin: state.origin,
        time: new Date(state.at).toLocaleString(),
      });
  }
}

function factsOf(summary: Summary): [key: string, value: string, bad: boolean][] {
  const { best, personal, personalCount, carries, months } = summary;
  const percent = (share: number): string => text('unit.percent', { value: shownNumber(100 * share, 3) });
  const listed = personalCount > personal.length ? [...personal, '…'] : personal;
  return [
    ['rate', text('unit.per-second', { value: shownNumber(summary.messagesPerSecond, 3) }), false],
    ['bytes', shownBytes(summary.bytesPerDay), false],
    [
      'reduction',
      best
        ? text('assessment.keeps', {
            kind: text(`assessment.kind.${best.kind}`),
            ...{ tolerance: shownNumber(best.tolerance, 3), share: percent(best.share) },
            error: percent(best.maxError / 100),
          })
        : text('assessment.no-readings'),
      false,
    ],
    ['personal', personalCount === 0 ? text('assessment.none') : listed.join(', '), personalCount > 0],
    ['load', text('assessment.core', { share: percent(summary.load), sources: summary.sources }), !carries],
    [
      'payback',
      months === null
        ? text('assessment.never')
        : text('assessment.months', { months: shownNumber(months, 3) }),
      months === null,
    ],
  ];
}

/** A link would not carry the editor's rights, so the page is loaded first. */
async function openReport(): Promise<void> {
  const page = await loadPage(`sidebar/assessment/report?lang=${encodeURIComponent(RED.i18n.lang())}`);
  const url = URL.createObjectURL(new Blob([page], { type: 'text/html' }));
  if (!window.open(url, '_blank')) {
    throw new Error(text('assessment.blocked'));
  }
  setTimeout(() => URL.revokeObjectURL(url), PAGE_MS);
}
