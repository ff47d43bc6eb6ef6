import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { EdgeError } from '../../shared/errors';

/** What a model file says of itself, read without the runtime. */
export interface OnnxFile {
  /** Such as `skl2onnx 1.20.0`; empty when the file does not say. */
  producer: string;
  /** Versions of the operator sets by domain; the standard one is `ai.onnx`. */
  opsets: Record<string, number>;
  /** What the exporter, or whoever came after it, wrote into the file. */
  metadata: Record<string, string>;
  /** Class labels of its classifier, in the order of the probabilities' columns. */
  labels: string[] | undefined;
}

/** Graphs within graphs (branches and loops) that are looked into. */
const MAX_DEPTH = 16;
/** An initializer whose data lies in another file (TensorProto.DataLocation). */
const EXTERNAL = 1;

/**
 * Reads the outline of an ONNX model (onnx.proto, ModelProto) by its wire format; weights are passed over.
 *
 * @returns undefined for what is no protobuf, such as a model in the runtime's own format
 * @throws EdgeError `MODEL_UNSUPPORTED` for a model that keeps weights in other files
 */
export function readOnnxFile(bytes: Uint8Array): OnnxFile | undefined {
  try {
    return new Outline(bytes).read();
  } catch (thrown) {
    if (thrown instanceof EdgeError) {
      throw thrown;
    }
    // Whatever is wrong with it, the runtime says it better.
    return undefined;
  }
}

class Outline {
  private readonly file: OnnxFile = { producer: '', opsets: {}, metadata: {}, labels: undefined };
  private readonly reader: BinaryReader;

  constructor(bytes: Uint8Array) {
    this.reader = new BinaryReader(bytes);
  }

  read(): OnnxFile {
    const producer = ['', ''];
    this.fields(this.reader.len, {
      2: () => (producer[0] = this.reader.string()),
      3: () => (producer[1] = this.reader.string()),
      7: () => this.graph(this.end(), 0),
      8: () => this.opset(this.end()),
      14: () => this.metadata(this.end()),
      25: () => this.functionBody(this.end()),
    });
    this.file.producer = producer.join(' ').trim();
    return this.file;
  }

  private opset(end: number): void {
    let domain = '';
    let version = 0;
    this.fields(end, { 1: () => (domain = this.reader.string()) }, { 2: () => (version = this.whole()) });
    this.file.opsets[domain || 'ai.onnx'] = version;
  }

  private metadata(end: number): void {
    let key = '';
    let value = '';
    this.fields(end, {
      1: () => (key = this.reader.string()),
      2: () => (value = this.reader.string()),
    });
    Object.defineProperty(this.file.metadata, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }

  private graph(end: number, depth: number): void {
    if (depth > MAX_DEPTH) {
      throw new EdgeError(
        'MODEL_UNSUPPORTED',
        `The model nests graphs deeper than ${MAX_DEPTH} levels. Export it without.`,
      );
    }
    this.fields(end, {
      1: () => this.node(this.end(), depth),
      5: () => this.tensor(this.end()),
      15: () => this.sparseTensor(this.end()),
    });
  }

  private functionBody(end: number): void {
    this.fields(end, { 7: () => this.node(this.end(), 0) });
  }

  private node(end: number, depth: number): void {
    this.fields(end, { 5: () => this.attribute(this.end(), depth) });
  }

  private attribute(end: number, depth: number): void {
    let name = '';
    const texts: string[] = [];
    const numbers: number[] = [];
    this.fields(
      end,
      {
        1: () => (name = this.reader.string()),
        5: () => this.tensor(this.end()),
        6: () => this.graph(this.end(), depth + 1),
        8: () => {
          // Packed, where the exporter did so.
          for (const stop = this.end(); this.reader.pos < stop;) {
            numbers.push(this.whole());
          }
        },
        9: () => texts.push(this.reader.string()),
        10: () => this.tensor(this.end()),
        11: () => this.graph(this.end(), depth + 1),
      },
      { 8: () => numbers.push(this.whole()) },
    );
    if (/^classlabels_(strings|int64s|ints)$/.test(name) && texts.length + numbers.length > 0) {
      this.file.labels = texts.length > 0 ? texts : numbers.map(String);
    }
  }

  private sparseTensor(end: number): void {
    this.fields(end, { 1: () => this.tensor(this.end()), 2: () => this.tensor(this.end()) });
  }

  private tensor(end: number): void {
    const places: number[] = [];
    this.fields(
      end,
      {
        13: () => {
          places.push(EXTERNAL);
          this.reader.skip(WireType.LengthDelimited);
        },
      },
      { 14: () => places.push(this.whole()) },
    );
    if (places.includes(EXTERNAL)) {
      throw new EdgeError(
        'MODEL_UNSUPPORTED',
        'The model keeps its weights in other files ("external data"), which are not read. Export it as a single file: with torch.onnx.export external_data=False, or onnx.save_model(…, save_as_external_data=False).',
      );
    }
  }

  private whole(): number {
    return Number(this.reader.int64());
  }

  /** End of the message whose length comes next. */
  private end(): number {
    const length = this.reader.uint32();
    const end = this.reader.pos + length;
    if (end > this.reader.len) {
      throw new RangeError('it ends too early');
    }
    return end;
  }

  /** Reads the fields that are of interest by number: those with a length, and those that are whole numbers. */
  private fields(
    end: number,
    sized: Partial<Record<number, () => unknown>>,
    whole: Partial<Record<number, () => unknown>> = {},
  ): void {
    const { reader } = this;
    while (reader.pos < end) {
      const [field, type] = reader.tag();
      const read =
        type === WireType.LengthDelimited
          ? sized[field]
          : type === WireType.Varint
            ? whole[field]
            : undefined;
      if (read) {
        read();
      } else {
        reader.skip(type, field);
      }
    }
  }
}
