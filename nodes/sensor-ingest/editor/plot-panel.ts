import type { Translate } from '../../shared/editor/failure-box';
import { shownNumber } from '../../shared/editor/figures';
import type { Plot, PlotChoice } from '../preview/result';
import { drawPlot } from './plot';
import { offer } from '../../shared/editor/forms';

const PLACE = '#edge-ingest-plot';
const CHANNEL = '#edge-ingest-plot-channel';
const SOURCE = '#edge-ingest-plot-source';
const TITLE = '#edge-ingest-plot-title';
const DRAWING = '#edge-ingest-plot-drawing';
const REDUCTION = '#edge-ingest-plot-reduction';

/** The plot with its choices of channel and source, and what the reduction comes to. */
export class PlotPanel {
  private plot: Plot | undefined;

  /** @param onChoice told when another channel or source is chosen */
  constructor(
    private readonly translate: Translate,
    onChoice: () => void,
  ) {
    $(`${CHANNEL}, ${SOURCE}`).on('change', (event) => {
      // It is no property of the node.
      event.stopPropagation();
      onChoice();
    });
  }

  /** What a person has chosen to see. */
  get choice(): PlotChoice {
    return this.plot ? { source: valueOf(SOURCE), channel: valueOf(CHANNEL) } : {};
  }

  show(plot: Plot | undefined): void {
    // One reading is no line.
    this.plot = plot && plot.points.length > 1 ? plot : undefined;
    $(PLACE).toggle(this.plot !== undefined);
    if (!this.plot) {
      return;
    }
    const { source, sources, channel, channels, unit, points } = this.plot;
    offer($(CHANNEL), channels.map(same), channel);
    offer($(SOURCE), sources.map(same), source);
    $(SOURCE).toggle(sources.length > 1);
    const title = this.translate('preview.plot', { count: points.length });
    $(TITLE).text(unit ? `${unit} · ${title}` : title);
    $(REDUCTION)
      .text(this.reductionText(this.plot))
      .toggle(this.plot.reduction !== undefined);
    this.draw();
  }

  /** Draws anew, for the width that there is now. */
  draw(): void {
    const width = Math.floor($(DRAWING).width() ?? 0);
    if (!this.plot || width <= 0) {
      return;
    }
    const { points, channel, source, reduction } = this.plot;
    const values = points.map(([, value]) => value);
    const description = this.translate('preview.description', {
      count: points.length,
      low: shownNumber(Math.min(...values)),
      high: shownNumber(Math.max(...values)),
    });
    const text = [`${channel}, ${source}: ${description}`, reduction ? this.reductionText(this.plot) : ''];
    $(DRAWING).empty();
    document.querySelector(DRAWING)?.append(drawPlot(points, width, text.join(' ').trim()));
  }

  private reductionText({ reduction }: Plot): string {
    if (!reduction) {
      return '';
    }
    const { pointsIn, pointsOut, bytesIn, bytesOut, maxError, tolerance, percent } = reduction;
    const unit = percent ? ' %' : '';
    return this.translate('preview.reduction', {
      kept: pointsOut,
      count: pointsIn,
      saved: (100 * (1 - bytesOut / Math.max(bytesIn, 1))).toFixed(1),
      error: shownNumber(maxError, 3) + unit,
      tolerance: shownNumber(tolerance) + unit,
    });
  }
}

function same(name: string): [string, string] {
  return [name, name];
}

function valueOf(selector: string): string | undefined {
  const value = $(selector).val();
  return typeof value === 'string' ? value : undefined;
}
