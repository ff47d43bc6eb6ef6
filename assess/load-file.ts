import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { EdgeError, toEdgeError } from '../nodes/shared/errors';
import { CsvReader, readLine, type ReadMessage } from './read-sample';
import { SampleBuilder, type Sample } from './sample';

export interface LoadOptions {
  /** Property of payloads, or column, that holds the time. */
  timestamp: string;
  /** How long it was listened, s; needed where the messages have no times. */
  seconds?: number;
}

/**
 * Reads a sample line by line, however long the file is: NDJSON, or CSV where the name ends in `.csv`.
 *
 * @throws EdgeError `SAMPLE`, `FILE`
 */
export async function loadSample(file: string, options: LoadOptions): Promise<Sample> {
  const { seconds } = options;
  let untimed = 0;
  for await (const message of messagesOf(file, options)) {
    untimed += message.at === undefined ? 1 : 0;
    if (untimed > 0 && seconds === undefined) {
      throw new EdgeError(
        'SAMPLE',
        `The sample does not say when its messages came. Say how long it was recorded, such as --seconds 300, or which property of a payload holds the time, such as --timestamp time.`,
      );
    }
    if (seconds === undefined) {
      break;
    }
  }
  const builder = new SampleBuilder();
  let number = 0;
  let last = 0;
  for await (const message of messagesOf(file, options)) {
    // Without times they came evenly; a message without one among others came with the one before.
    last = message.at ?? (untimed > 0 && seconds !== undefined ? (number * seconds * 1000) / untimed : last);
    number++;
    builder.add({ ...message, at: last });
  }
  return builder.sample(seconds);
}

async function* messagesOf(file: string, { timestamp }: LoadOptions): AsyncGenerator<ReadMessage> {
  const isCsv = /\.csv$/i.test(file);
  const options = { timestamp, topic: basename(file) };
  const csv = new CsvReader(options);
  const input = createReadStream(file, 'utf8');
  try {
    // Waited for first: lines that begin before an error are told of none.
    await once(input, 'ready');
    let number = 0;
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      number++;
      const message = isCsv ? csv.read(line, number) : readLine(line, number, options);
      if (message) {
        yield message;
      }
    }
  } catch (thrown) {
    throw thrown instanceof EdgeError
      ? thrown
      : new EdgeError('FILE', `The sample cannot be read: ${toEdgeError(thrown).message}. Check its name.`);
  } finally {
    input.destroy();
  }
}
