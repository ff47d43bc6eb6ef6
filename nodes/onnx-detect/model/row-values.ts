/** The values of one reading by place, in the channels' own units: numbers, and texts where the model takes them. */
export interface RowValues {
  numbers: Float64Array;
  /** Empty for a model that takes no texts. */
  texts: string[];
}

export function newRowValues(width: number): RowValues {
  return { numbers: new Float64Array(width), texts: [] };
}

export function copyRowValues({ numbers, texts }: RowValues): RowValues {
  return { numbers: numbers.slice(), texts: [...texts] };
}
