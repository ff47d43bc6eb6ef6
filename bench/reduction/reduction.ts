/**
 * How many bytes sensor-ingest's reduction saves on published and simulated series, by readings and by channels, and how
 * far off the receiver is, which is measured on what it rebuilds and held against what the node reports.
 *
 *   npm run bench:reduction -- [--data ../shared/data]
 */
import { parseArgs } from 'node:util';
import { saveResults } from '../program';
import { table } from '../table';
import { AIM_HEADER, aimRows } from './aim';
import { reduceSeries, SCALAR_HEADER, scalarRow } from './scalars';
import { dataFolder, publishedSeries, simulatedSeries, type Series } from './series';
import { WAVEFORM_HEADER, waveformRows } from './waveforms';

const { values } = parseArgs({ options: { data: { type: 'string', default: dataFolder } } });

function main(): void {
  const published = publishedSeries(values.data);
  if (!published) {
    console.log(
      `${values.data} has no nab and skab: only simulated series are measured. Give it with --data.`,
    );
  }
  const families: Record<string, Series[]> = { ...published, simulated: simulatedSeries() };
  const printed: Record<string, string[][]> = {};
  const print = (title: string, header: string[], rows: string[][]): void => {
    console.log(`\n${title}\n\n${table(header, rows)}`);
    printed[title] = [header, ...rows];
  };
  for (const [family, list] of Object.entries(families)) {
    const results = list.map(reduceSeries);
    print(`${family}: messages and bytes, errors in % of span`, SCALAR_HEADER, results.flat().map(scalarRow));
    const rows = list.flatMap((series, index) => aimRows(series, results[index]));
    print(`${family}: percent fewer points at 1 % of span, and what could be had`, AIM_HEADER, rows);
  }
  console.log(
    '\nreached: in payload bytes; impossible: even the fewest lines take more points than that; else: missed',
  );
  print('waveforms', WAVEFORM_HEADER, waveformRows());
  saveResults('reduction', printed);
}

main();
