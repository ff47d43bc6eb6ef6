import { readFile, stat } from 'node:fs/promises';

/** The serial number of a board with a device tree (Jetson, Raspberry Pi, most ARM gateways); any user may read it. */
const BOARD_SERIAL = '/proc/device-tree/serial-number';

/**
 * What tells a file from a copy of it: when it came to be, which no copying tool carries over, and the board that it
 * is on, for copies of whole disks. It stays the same over restarts, updates and moves within a file system.
 *
 * @returns undefined where the file system does not know when files came to be
 */
export async function originOf(path: string, boardSerial = BOARD_SERIAL): Promise<string | undefined> {
  const { birthtimeNs } = await stat(path, { bigint: true });
  if (birthtimeNs <= 0n) {
    return undefined;
  }
  const serial = await readFile(boardSerial, 'latin1').catch(() => '');
  return `${birthtimeNs} ${serial.replaceAll('\0', '').trim()}`.trim();
}
