import { Address, FunctionBuilder, Pair } from './emitter';
import type { ComplexPlace, Layout, Stage } from './layout';

const DOUBLE = 8;
const PAIR = 16;
const FACTORS = [0, 1, 2] as const;
const QUARTERS = [0, 1, 2, 3] as const;

/** Two complex values, as a pair of real and a pair of imaginary parts. */
interface Complex {
  readonly real: Pair;
  readonly imaginary: Pair;
}

/**
 * The power spectrum of the samples less their mean, by the Hann window, but for its first and last bin: even samples are
 * taken for real and odd ones for imaginary parts of half as many values, whose transform, Stockham's with decimation in
 * frequency by four (Van Loan, *Computational Frameworks for the Fast Fourier Transform*, 1.7 and 2.4), is then taken
 * apart. Each step reads values that lie side by side and puts them where the next one finds them so.
 *
 * @returns the function, and which of the two places of values it leaves the transform in
 */
export function spectrumFunction(layout: Layout): { f: FunctionBuilder; transformed: ComplexPlace } {
  const f = new FunctionBuilder('spectrum', 1);
  let [from, to] = layout.values;
  const [first, ...others] = layout.stages;
  firstStage(f, layout, first, from);
  for (const stage of others) {
    nextStage(f, stage, from, to);
    [from, to] = [to, from];
  }
  if (layout.stages[layout.stages.length - 1].part === 8) {
    lastHalves(f, layout, from);
  }
  takeApart(f, layout, from);
  return { f, transformed: from };
}

/** From the samples; the two butterflies that are done together are neighbours, with factors of their own. */
function firstStage(f: FunctionBuilder, layout: Layout, { part, factors }: Stage, to: ComplexPlace): void {
  const mean = f.argument(0);
  const quarter = part / 4;
  const factorsAt = f.pointer(Address.of(factors.at));
  f.each(Address.of(0), Address.of(DOUBLE * quarter), PAIR, (at) => {
    const samplesAt = f.pointer(at.times(2)).value;
    const valuesAt = f.pointer(at.times(4)).value;
    const windowed = (offset: number): Pair =>
      f.keep(
        samplesAt
          .pair(layout.samples.at + offset)
          .minus(mean)
          .times(samplesAt.pair(layout.window.at + offset)),
      );
    const inputs = QUARTERS.map((j): Complex => {
      const one = windowed(PAIR * quarter * j);
      const next = windowed(PAIR * quarter * j + PAIR);
      return { real: f.keep(Pair.pick(one, 0, next, 0)), imaginary: f.keep(Pair.pick(one, 1, next, 1)) };
    });
    const turns = FACTORS.map((k): Complex => {
      const offset = 2 * PAIR * k;
      return {
        real: f.keep(factorsAt.value.pair(offset)),
        imaginary: f.keep(factorsAt.value.pair(offset + PAIR)),
      };
    });
    f.set(factorsAt, factorsAt.value.plus(2 * PAIR * FACTORS.length));
    const outputs = butterfly(f, inputs, turns);
    for (const side of ['real', 'imaginary'] as const) {
      const [o0, o1, o2, o3] = outputs.map((output) => output[side]);
      f.store(valuesAt, to[side].at, Pair.pick(o0, 0, o1, 0));
      f.store(valuesAt, to[side].at + PAIR, Pair.pick(o2, 0, o3, 0));
      f.store(valuesAt, to[side].at + 2 * PAIR, Pair.pick(o0, 1, o1, 1));
      f.store(valuesAt, to[side].at + 3 * PAIR, Pair.pick(o2, 1, o3, 1));
    }
  });
}

/** `stride` butterflies side by side share their factors. */
function nextStage(
  f: FunctionBuilder,
  { part, stride, factors }: Stage,
  from: ComplexPlace,
  to: ComplexPlace,
): void {
  const run = DOUBLE * stride;
  const quarter = part / 4;
  const along = (start: Address, turns: readonly Complex[] | undefined): void => {
    f.each(start, start.plus(run), PAIR, (at) => {
      const inputs = QUARTERS.map((j): Complex => {
        const offset = run * quarter * j;
        return {
          real: f.keep(at.pair(from.real.at + offset)),
          imaginary: f.keep(at.pair(from.imaginary.at + offset)),
        };
      });
      const resultsAt = f.pointer(at.plus(start.times(3))).value;
      butterfly(f, inputs, turns).forEach((output, j) => {
        f.store(resultsAt, to.real.at + run * j, output.real);
        f.store(resultsAt, to.imaginary.at + run * j, output.imaginary);
      });
    });
  };
  if (part === 4) {
    along(Address.of(0), undefined);
    return;
  }
  const factorsAt = f.pointer(Address.of(factors.at));
  f.each(Address.of(0), Address.of(run * quarter), run, (start) => {
    const turns = FACTORS.map((k): Complex => ({
      real: f.keep(factorsAt.value.twice(PAIR * k)),
      imaginary: f.keep(factorsAt.value.twice(PAIR * k + DOUBLE)),
    }));
    along(start, turns);
    f.set(factorsAt, factorsAt.value.plus(PAIR * FACTORS.length));
  });
}

/** The transform of four values, of which the last three are then turned by `turns`. */
function butterfly(
  f: FunctionBuilder,
  [v0, v1, v2, v3]: readonly Complex[],
  turns: readonly Complex[] | undefined,
): readonly Complex[] {
  const evenSum = sum(f, v0, v2);
  const evenGap = gap(f, v0, v2);
  const oddSum = sum(f, v1, v3);
  const oddGap = gap(f, v1, v3);
  // The gap of the odd ones turned by −90°: −i(a + bi) = b − ai.
  const turned: Complex = { real: oddGap.imaginary, imaginary: oddGap.real };
  const second: Complex = {
    real: f.keep(evenGap.real.plus(turned.real)),
    imaginary: f.keep(evenGap.imaginary.minus(turned.imaginary)),
  };
  const fourth: Complex = {
    real: f.keep(evenGap.real.minus(turned.real)),
    imaginary: f.keep(evenGap.imaginary.plus(turned.imaginary)),
  };
  const others = [second, gap(f, evenSum, oddSum), fourth];
  return [
    sum(f, evenSum, oddSum),
    ...(turns ? others.map((value, k) => product(f, value, turns[k])) : others),
  ];
}

/** What an odd power of two leaves over: transforms of two, in place. */
function lastHalves(f: FunctionBuilder, { half }: Layout, values: ComplexPlace): void {
  const middle = (DOUBLE * half) / 2;
  f.each(Address.of(0), Address.of(middle), PAIR, (at) => {
    for (const { at: base } of [values.real, values.imaginary]) {
      const near = f.keep(at.pair(base));
      const far = f.keep(at.pair(base + middle));
      f.store(at, base, near.plus(far));
      f.store(at, base + middle, near.minus(far));
    }
  });
}

/** Z_k and Z_{half−k} give X_k and X_{half−k}, for k from 1 to the middle. */
function takeApart(f: FunctionBuilder, { half, roots, power }: Layout, values: ComplexPlace): void {
  const quarter = f.keep(Pair.of(0.25));
  const squared = (a: Pair, b: Pair): Pair => f.keep(quarter.times(a.times(a).plus(b.times(b))));
  const mirror = f.pointer(Address.of(DOUBLE * (half - 2)));
  f.each(Address.of(DOUBLE), Address.of(DOUBLE * (half / 2 + 1)), PAIR, (k) => {
    const nearR = f.keep(k.pair(values.real.at));
    const nearI = f.keep(k.pair(values.imaginary.at));
    const farR = f.keep(mirror.value.pair(values.real.at).reversed());
    const farI = f.keep(mirror.value.pair(values.imaginary.at).reversed());
    const even: Complex = { real: f.keep(nearR.plus(farR)), imaginary: f.keep(nearI.minus(farI)) };
    const odd: Complex = { real: f.keep(nearI.plus(farI)), imaginary: f.keep(farR.minus(nearR)) };
    const turned = product(f, odd, {
      real: f.keep(k.pair(roots.real.at)),
      imaginary: f.keep(k.pair(roots.imaginary.at)),
    });
    const near = sum(f, even, turned);
    const far = gap(f, even, turned);
    f.store(k, power.at, squared(near.real, near.imaginary));
    f.store(mirror.value, power.at, squared(far.real, far.imaginary).reversed());
    f.set(mirror, mirror.value.plus(-PAIR));
  });
}

function sum(f: FunctionBuilder, a: Complex, b: Complex): Complex {
  return { real: f.keep(a.real.plus(b.real)), imaginary: f.keep(a.imaginary.plus(b.imaginary)) };
}

function gap(f: FunctionBuilder, a: Complex, b: Complex): Complex {
  return { real: f.keep(a.real.minus(b.real)), imaginary: f.keep(a.imaginary.minus(b.imaginary)) };
}

function product(f: FunctionBuilder, a: Complex, b: Complex): Complex {
  return {
    real: f.keep(a.real.times(b.real).minus(a.imaginary.times(b.imaginary))),
    imaginary: f.keep(a.real.times(b.imaginary).plus(a.imaginary.times(b.real))),
  };
}
