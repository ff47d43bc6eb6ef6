import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Data type Boolean (Sparkplug 3.0, 6.4.16). */
const BOOLEAN = 11;

/**
 * The command that asks an edge node for new birth certificates: the metric `Node Control/Rebirth` with the value true
 * (Sparkplug 3.0, 6.4.9).
 *
 * @param ts ms since the epoch
 */
export function rebirthCommand(ts: number): Uint8Array {
  const metric = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string('Node Control/Rebirth')
    .tag(3, WireType.Varint)
    .uint64(BigInt(Math.trunc(ts)))
    .tag(4, WireType.Varint)
    .uint32(BOOLEAN)
    .tag(14, WireType.Varint)
    .bool(true)
    .finish();
  return new BinaryWriter()
    .tag(1, WireType.Varint)
    .uint64(BigInt(Math.trunc(ts)))
    .tag(2, WireType.LengthDelimited)
    .bytes(metric)
    .finish();
}
