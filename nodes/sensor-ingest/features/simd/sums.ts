import { Address, FunctionBuilder, Pair } from './emitter';
import type { Layout } from './layout';

const PAIR = 16;

/** Σx, Σx², Σ|x|, the smallest and the largest sample, of even and of odd samples by themselves, to `results`. */
export function sumsFunction(layout: Layout): FunctionBuilder {
  const f = new FunctionBuilder('sums', 0);
  const sum = f.variable(Pair.of(0));
  const squares = f.variable(Pair.of(0));
  const magnitudes = f.variable(Pair.of(0));
  const min = f.variable(Pair.of(Infinity));
  const max = f.variable(Pair.of(-Infinity));
  f.each(Address.of(0), Address.of(8 * layout.length), PAIR, (at) => {
    const value = f.keep(at.pair(layout.samples.at));
    f.set(sum, sum.value.plus(value));
    f.set(squares, squares.value.plus(value.times(value)));
    f.set(magnitudes, magnitudes.value.plus(value.magnitude()));
    f.set(min, min.value.orLess(value));
    f.set(max, max.value.orMore(value));
  });
  [sum, squares, magnitudes, min, max].forEach(({ value }, i) => {
    f.store(Address.of(0), layout.results.at + PAIR * i, value);
  });
  return f;
}

/** Σd, Σd², Σd³ and Σd⁴ of d = (x − mean) · scale, of even and of odd samples by themselves, to `results`. */
export function deviationsFunction(layout: Layout): FunctionBuilder {
  const f = new FunctionBuilder('deviations', 2);
  const mean = f.argument(0);
  const scale = f.argument(1);
  const [first, second, third, fourth] = [0, 1, 2, 3].map(() => f.variable(Pair.of(0)));
  f.each(Address.of(0), Address.of(8 * layout.length), PAIR, (at) => {
    const deviation = f.keep(at.pair(layout.samples.at).minus(mean).times(scale));
    const square = f.keep(deviation.times(deviation));
    f.set(first, first.value.plus(deviation));
    f.set(second, second.value.plus(square));
    f.set(third, third.value.plus(square.times(deviation)));
    f.set(fourth, fourth.value.plus(square.times(square)));
  });
  [first, second, third, fourth].forEach(({ value }, i) => {
    f.store(Address.of(0), layout.results.at + PAIR * i, value);
  });
  return f;
}
